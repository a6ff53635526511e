import type { Context } from '../context.ts';
import { NotFoundError } from '../errors.ts';
import type { CurrentPosition } from '../postgres/current-position.ts';
import { isReachable, rootTimeline, type TimelineHistory } from '../postgres/timeline-history.ts';
import { formatHistoryName, parseWalFileName, segmentBeforeLsn, segmentOfLsn } from '../postgres/wal-name.ts';
import { type BackupRecord, findBackup, listBackups } from '../repository/backup-catalogue.ts';
import { walFolder } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { findSegmentSize } from '../repository/segment-size.ts';
import { readHistory } from '../repository/timeline-histories.ts';
import { listTimelines } from '../repository/wal-inventory.ts';
import { type ScannedRange, scanSegments } from './scan-segments.ts';

/** What became of a check. */
export type CheckStatus = 'OK' | 'WARNING' | 'FAILURE';

export interface VerifyWalOptions {
  /** Where the server is that archives here. */
  readonly current: CurrentPosition;
  /** Look from this backup on (a name, or LATEST), not from the oldest that is not permanent. */
  readonly backup?: string | undefined;
  /** As in {@link ScanPlan}. */
  readonly delayedLimit: number;
  readonly uploadingLimit: number;
}

/** Whether every segment is there that recovery from the first to the last completed one would read. */
export interface IntegrityReport {
  readonly status: CheckStatus;
  readonly ranges: readonly ScannedRange[];
  readonly segmentSizeBytes: number;
}

/** Whether nobody has gone further than the server: an archive that knows of a higher timeline had another primary. */
export interface TimelineCheckReport {
  readonly status: CheckStatus;
  readonly currentTimeline: number;
  /** The highest that a segment or a history file names; 0 when there is none. */
  readonly highestTimeline: number;
}

/**
 * Looks for gaps in the WAL between a backup and the server's position. It goes by names; no segment is read.
 *
 * @throws {@link NotFoundError} when the backup that is asked for does not exist, {@link IntegrityError} when it or a history file is damaged
 */
export async function verifyIntegrity(
  repository: Repository,
  options: VerifyWalOptions,
  context: Context,
): Promise<IntegrityReport> {
  const { signal, log } = context;
  const { current } = options;
  const backups = await listBackups(repository, {
    signal,
    onDamaged: ({ name, error }) => log.warn({ backup: name, err: error }, 'backup cannot be read'),
  });
  const segmentSizeBytes = await findSegmentSize(repository, backups, { signal });
  const timelines = await listTimelines(repository, segmentSizeBytes, { signal });
  const history = await historyOf(current.timeline);
  const start = options.backup === undefined ? oldestBackup(backups, history) : await chosenBackup(options.backup);
  if (start === undefined) log.warn({}, 'no backup leads to the current timeline: all segments are looked for');

  const first = start === undefined ? 1n : segmentOfLsn(start.timeline, start.startLsn, segmentSizeBytes).segmentNumber;
  const last = segmentBeforeLsn(current.timeline, current.lsn, segmentSizeBytes).segmentNumber - 1n;
  const held = new Map(timelines.map(({ timeline, segmentNumbers }) => [timeline, segmentNumbers]));
  const ranges = scanSegments({ ...options, first, last, history, segmentSizeBytes }, held);
  return { status: integrityStatus(ranges), ranges, segmentSizeBytes };

  async function historyOf(timeline: number): Promise<TimelineHistory> {
    const stored = timeline === 1 ? undefined : await readHistory(repository, timeline, { signal });
    if (stored === undefined && timeline > 1) {
      log.warn({ file: formatHistoryName(timeline) }, 'the history of the current timeline is not archived');
    }
    return stored ?? rootTimeline(timeline);
  }

  async function chosenBackup(name: string): Promise<BackupRecord> {
    const backup = await findBackup(repository, name, { signal });
    if (!leadsTo(history, backup)) {
      throw new NotFoundError(`backup ${backup.name} does not lead to timeline ${current.timeline}`, {
        hint: 'Choose a backup of this timeline or of one that it comes from.',
      });
    }
    return backup;
  }
}

/** Compares the server's timeline with those in the archive. */
export async function verifyTimeline(
  repository: Repository,
  current: CurrentPosition,
  context: Context,
): Promise<TimelineCheckReport> {
  let highestTimeline = 0;
  for await (const { key } of repository.store.list(walFolder, { signal: context.signal })) {
    const [stem = ''] = key.slice(walFolder.length).split('.');
    const name = parseWalFileName(stem) ?? parseWalFileName(`${stem}.history`);
    if (name !== undefined) highestTimeline = Math.max(highestTimeline, name.timeline);
  }
  const agreement = current.timeline === highestTimeline ? 'OK' : 'FAILURE';
  const status = highestTimeline === 0 ? 'WARNING' : agreement;
  return { status, currentTimeline: current.timeline, highestTimeline };
}

/** The oldest ordinary backup from which recovery can follow the history; a permanent one has only the WAL that it needs itself. */
function oldestBackup(backups: readonly BackupRecord[], history: TimelineHistory): BackupRecord | undefined {
  return backups
    .filter((backup) => !backup.isPermanent && leadsTo(history, backup))
    .reduce<BackupRecord | undefined>(
      (oldest, backup) => (oldest === undefined || backup.startLsn < oldest.startLsn ? backup : oldest),
      undefined,
    );
}

function leadsTo(history: TimelineHistory, { timeline, finishLsn }: BackupRecord): boolean {
  return isReachable(history, { timeline, stopLsn: finishLsn });
}

function integrityStatus(ranges: readonly ScannedRange[]): CheckStatus {
  if (ranges.some(({ status }) => status === 'MISSING_LOST')) return 'FAILURE';
  return ranges.some(({ status }) => status !== 'FOUND') ? 'WARNING' : 'OK';
}

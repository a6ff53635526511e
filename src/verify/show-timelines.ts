import type { Context } from '../context.ts';
import type { Lsn } from '../postgres/lsn.ts';
import type { TimelineHistory } from '../postgres/timeline-history.ts';
import { formatSegmentName, segmentOfLsn } from '../postgres/wal-name.ts';
import { type BackupRecord, listBackups } from '../repository/backup-catalogue.ts';
import type { Repository } from '../repository/repository.ts';
import { findSegmentSize } from '../repository/segment-size.ts';
import { readHistory } from '../repository/timeline-histories.ts';
import { findGaps, listTimelines, type SegmentRange, type TimelineSegments } from '../repository/wal-inventory.ts';

/** What a repository holds of one timeline. */
export interface TimelineReport {
  readonly timeline: number;
  /** The timeline that it left, and where; undefined when there is none, or its history file is not archived. */
  readonly parent: { readonly timeline: number; readonly switchLsn: Lsn } | undefined;
  readonly firstSegment: string;
  readonly lastSegment: string;
  /** Segments that are there. */
  readonly segmentCount: number;
  /** Segments from the first to the last, whether they are there or not. */
  readonly rangeLength: bigint;
  /** What is missing between the first and the last, ascending. */
  readonly gaps: readonly SegmentRange[];
  /** The backups that lie between the first segment and the last, the newest first. */
  readonly backups: readonly BackupRecord[];
}

/** All timelines, and the size that was found for their segments. */
export interface WalOverview {
  readonly timelines: readonly TimelineReport[];
  readonly segmentSizeBytes: number;
}

/**
 * Describes the archived WAL by timeline, the lowest first. It goes by names, and reads nothing but history files and what tells
 * of backups; a backup that cannot be read is told to the log and left out.
 *
 * @throws {@link IntegrityError} for a damaged history file
 */
export async function showTimelines(repository: Repository, context: Context): Promise<WalOverview> {
  const { signal, log } = context;
  const backups = await listBackups(repository, {
    signal,
    onDamaged: ({ name, error }) => log.warn({ backup: name, err: error }, 'backup cannot be read'),
  });
  const segmentSizeBytes = await findSegmentSize(repository, backups, { signal });
  const timelines = await listTimelines(repository, segmentSizeBytes, { signal });
  const histories = new Map<number, TimelineHistory>();
  for (const { timeline } of timelines) {
    const history = timeline === 1 ? undefined : await readHistory(repository, timeline, { signal });
    if (history !== undefined) histories.set(timeline, history);
  }
  return { timelines: describeTimelines({ timelines, histories, backups, segmentSizeBytes }), segmentSizeBytes };
}

/** What the description of timelines is made from. */
interface WalFacts {
  readonly timelines: readonly TimelineSegments[];
  readonly histories: ReadonlyMap<number, TimelineHistory>;
  readonly backups: readonly BackupRecord[];
  readonly segmentSizeBytes: number;
}

function describeTimelines({ timelines, histories, backups, segmentSizeBytes }: WalFacts): TimelineReport[] {
  return timelines.flatMap(({ timeline, segmentNumbers }) => {
    const [first] = segmentNumbers;
    const last = segmentNumbers.at(-1);
    if (first === undefined || last === undefined) return [];
    const isInside = (backup: BackupRecord) =>
      backup.timeline === timeline &&
      segmentOfLsn(timeline, backup.startLsn, segmentSizeBytes).segmentNumber >= first &&
      segmentOfLsn(timeline, backup.finishLsn, segmentSizeBytes).segmentNumber <= last;
    const nameOf = (segmentNumber: bigint) => formatSegmentName({ timeline, segmentNumber }, segmentSizeBytes);
    return {
      timeline,
      parent: histories.get(timeline)?.ancestors.at(-1),
      firstSegment: nameOf(first),
      lastSegment: nameOf(last),
      segmentCount: segmentNumbers.length,
      rangeLength: last - first + 1n,
      gaps: findGaps(segmentNumbers),
      backups: backups.filter(isInside).toReversed(),
    };
  });
}

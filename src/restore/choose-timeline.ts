import { IntegrityError, UsageError } from '../errors.ts';
import { formatLsn } from '../postgres/lsn.ts';
import { isReachable, rootTimeline, switchLsnFrom, type TimelineHistory } from '../postgres/timeline-history.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import type { BackupChain } from '../repository/backup-chain.ts';

/** The timeline that recovery follows, as PostgreSQL's recovery_target_timeline takes it. */
export type TargetTimeline = 'latest' | 'current' | number;

/** The histories of the timelines that the repository knows; timeline 1 has none. */
export type TimelineHistories = ReadonlyMap<number, TimelineHistory>;

/**
 * The number behind a target timeline for one backup. PostgreSQL looks for `latest` from the backup's own timeline on, one number
 * after the other, and stops at the first that has no history file.
 *
 * @see postgres src/backend/access/transam/timeline.c, findNewestTimeLine
 */
export function timelineFor(backup: BackupRecord, target: TargetTimeline, histories: TimelineHistories): number {
  if (typeof target === 'number') return target;
  let timeline = backup.timeline;
  while (target === 'latest' && histories.has(timeline + 1)) timeline += 1;
  return timeline;
}

/** Why recovery cannot go from the backup to the timeline, as the end of a sentence; undefined when it can. */
export function whyUnreachable(
  backup: BackupRecord,
  timeline: number,
  histories: TimelineHistories,
): string | undefined {
  const history = histories.get(timeline) ?? rootTimeline(timeline);
  if (isReachable(history, { timeline: backup.timeline, stopLsn: backup.finishLsn })) return undefined;
  const switchLsn = switchLsnFrom(history, backup.timeline);
  if (switchLsn === undefined || switchLsn === 'never') {
    return `timeline ${timeline} does not come from timeline ${backup.timeline}, on which the backup was taken`;
  }
  return `timeline ${timeline} left timeline ${backup.timeline} at ${formatLsn(switchLsn)}, before the backup ended at ${formatLsn(backup.finishLsn)}`;
}

/** @throws {@link UsageError} when a timeline that was asked for by number has no history file, without which PostgreSQL refuses it */
export function checkTimelineExists(target: TargetTimeline, histories: TimelineHistories): void {
  if (typeof target !== 'number' || target === 1 || histories.has(target)) return;
  const known = [1, ...histories.keys()].sort((a, b) => a - b);
  throw new UsageError(`cannot restore along timeline ${target}: the repository has no history file for it`, {
    hint: `Timelines in the repository: ${known.join(', ')}.`,
  });
}

/**
 * A delta may have been taken behind a switch of timelines. Then its parent must end before the switch: of what that holds from behind it, the
 * delta knows nothing.
 *
 * @throws {@link IntegrityError} when a parent has WAL of a timeline that was left before
 */
export function checkTimelines(chain: BackupChain, histories: TimelineHistories): void {
  for (const [index, parent] of chain.slice(1).entries()) {
    const delta = chain[index];
    // Without its history nobody knows where a timeline comes from; PostgreSQL will ask for it.
    if (delta === undefined || !histories.has(delta.timeline)) continue;
    const reason = whyUnreachable(parent, delta.timeline, histories);
    if (reason === undefined) continue;
    throw new IntegrityError(`${delta.name} is a delta upon ${parent.name}, but ${reason}`, {
      hint: `Restore ${delta.parent?.fullName} or another older backup: the archived WAL leads on from there.`,
    });
  }
}

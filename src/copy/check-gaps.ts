import { formatSegmentName, segmentBeforeLsn, segmentOfLsn } from '../postgres/wal-name.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { findGaps, type TimelineSegments } from '../repository/wal-inventory.ts';

/** What of the WAL behind a backup is missing. */
export interface MissingWal {
  /** The first segment that it needs to become consistent, and that is not there; without it the backup is worthless. */
  readonly toConsistency: string | undefined;
  /** The first gap behind it on its timeline: recovery ends there. */
  readonly afterwards: string | undefined;
}

/** Looks for gaps in the WAL that goes with a backup. */
export function findMissingWal(
  backup: BackupRecord,
  timelines: readonly TimelineSegments[],
  segmentSizeBytes: number,
): MissingWal {
  const { timeline, startLsn, finishLsn } = backup;
  const nameOf = (segmentNumber: bigint) => formatSegmentName({ timeline, segmentNumber }, segmentSizeBytes);
  const first = segmentOfLsn(timeline, startLsn, segmentSizeBytes).segmentNumber;
  const last = segmentBeforeLsn(timeline, finishLsn, segmentSizeBytes).segmentNumber;
  const held = timelines.find((each) => each.timeline === timeline)?.segmentNumbers ?? [];
  const numbers = new Set(held);
  for (let number = first; number <= last; number += 1n) {
    if (!numbers.has(number)) return { toConsistency: nameOf(number), afterwards: undefined };
  }
  const [gap] = findGaps(held.filter((number) => number >= last));
  return { toConsistency: undefined, afterwards: gap === undefined ? undefined : nameOf(gap.first) };
}

import type { Lsn } from '../postgres/lsn.ts';
import { switchLsnFrom, type TimelineHistory, timelineAt } from '../postgres/timeline-history.ts';
import { formatSegmentName, segmentOfLsn } from '../postgres/wal-name.ts';

/**
 * Where two clusters that were one have parted: up to this position their WAL is the same. Undefined when they have not
 * parted, or have never been one.
 *
 * @see postgres src/bin/pg_rewind/pg_rewind.c, findCommonAncestorTimeline
 */
export function findParting(left: TimelineHistory, right: TimelineHistory): Lsn | undefined {
  const [leftPath, rightPath] = [pathOf(left), pathOf(right)];
  let parting: Lsn | undefined;
  for (const [index, timeline] of leftPath.entries()) {
    if (rightPath[index] !== timeline) break;
    const [leftEnd, rightEnd] = [switchLsnFrom(left, timeline), switchLsnFrom(right, timeline)];
    const ends = [leftEnd, rightEnd].filter((end) => typeof end === 'bigint');
    parting = ends.toSorted((a, b) => (a < b ? -1 : 1))[0];
    if (leftEnd !== rightEnd) break;
  }
  return parting;
}

function pathOf({ ancestors, timeline }: TimelineHistory): number[] {
  return [...ancestors.map((ancestor) => ancestor.timeline), timeline];
}

/** Which segments a directory of WAL ought to hold. */
export interface WalSpanAlong {
  readonly history: TimelineHistory;
  readonly from: Lsn;
  /** In the last segment. */
  readonly to: Lsn;
  readonly segmentSizeBytes: number;
}

/** The names of the segments from one position to another along a history; a segment in which it switches is the younger timeline's. */
export function segmentsAlong({ history, from, to, segmentSizeBytes }: WalSpanAlong): string[] {
  const names: string[] = [];
  const [first, last] = [from, to].map((lsn) => segmentOfLsn(1, lsn, segmentSizeBytes).segmentNumber);
  if (first === undefined || last === undefined) return names;
  const size = BigInt(segmentSizeBytes);
  for (let segmentNumber = first; segmentNumber <= last; segmentNumber += 1n) {
    const timeline = timelineAt(history, (segmentNumber * size + size - 1n) as Lsn);
    names.push(formatSegmentName({ timeline, segmentNumber }, segmentSizeBytes));
  }
  return names;
}

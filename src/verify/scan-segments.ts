import type { TimelineHistory } from '../postgres/timeline-history.ts';
import type { SegmentRange } from '../repository/wal-inventory.ts';

/** How sure it is that a segment is there, or that it will not come any more. */
export type SegmentStatus = 'FOUND' | 'MISSING_DELAYED' | 'MISSING_UPLOADING' | 'MISSING_LOST';

/** Segments of one timeline that follow each other and have one status. */
export interface ScannedRange extends SegmentRange {
  readonly timeline: number;
  readonly status: SegmentStatus;
}

/** Which segments to look for, and what may be missing for a while. */
export interface ScanPlan extends SegmentRange {
  /** Of the timeline on which the last segment lies. */
  readonly history: TimelineHistory;
  readonly segmentSizeBytes: number;
  /** So many of the newest segments may not have been handed to archive_command yet. */
  readonly delayedLimit: number;
  /** So many before them may be on their way. */
  readonly uploadingLimit: number;
}

interface Run extends SegmentRange {
  readonly timeline: number;
  readonly isFound: boolean;
}

/**
 * Looks for every segment that recovery from the first to the last would read along the history, each on the timeline that owns it:
 * from the segment of a switch on that is the younger one. What is missing counts from the newest segment back: the first may be
 * delayed, up to the first that is found; of those behind them some may be uploading; all others are lost.
 *
 * @param held - the stored segments by timeline, ascending
 * @returns ranges in ascending order
 */
export function scanSegments(plan: ScanPlan, held: ReadonlyMap<number, readonly bigint[]>): ScannedRange[] {
  const runs = piecesOf(plan).flatMap((piece) => runsOf(piece, held.get(piece.timeline) ?? []));
  const scanned: ScannedRange[] = [];
  let delayedLeft = BigInt(plan.delayedLimit);
  let uploadingLeft = BigInt(plan.uploadingLimit);
  for (const { isFound, ...run } of runs.toReversed()) {
    let { last } = run;
    const take = (count: bigint, status: SegmentStatus): void => {
      if (count <= 0n) return;
      scanned.push({ ...run, first: last - count + 1n, last, status });
      last -= count;
    };
    const length = last - run.first + 1n;
    if (isFound) {
      take(length, 'FOUND');
      // The first that is found ends the search for delayed ones, and is not counted twice.
      uploadingLeft -= delayedLeft > 0n ? length - 1n : length;
      delayedLeft = 0n;
      continue;
    }
    const delayed = smaller(length, delayedLeft);
    const uploading = smaller(length - delayed, uploadingLeft);
    take(delayed, 'MISSING_DELAYED');
    take(uploading, 'MISSING_UPLOADING');
    take(length - delayed - uploading, 'MISSING_LOST');
    delayedLeft -= delayed;
    uploadingLeft -= uploading;
  }
  return scanned.reverse();
}

/** The part of each timeline between the first and the last segment. */
function piecesOf({ first, last, history, segmentSizeBytes }: ScanPlan): (SegmentRange & { timeline: number })[] {
  const pieces: (SegmentRange & { timeline: number })[] = [];
  let next = first;
  for (const { timeline, switchLsn } of history.ancestors) {
    const end = smaller(switchLsn / BigInt(segmentSizeBytes) - 1n, last);
    if (end < next) continue;
    pieces.push({ timeline, first: next, last: end });
    next = end + 1n;
  }
  if (next <= last) pieces.push({ timeline: history.timeline, first: next, last });
  return pieces;
}

function runsOf({ timeline, first, last }: SegmentRange & { timeline: number }, numbers: readonly bigint[]): Run[] {
  const runs: Run[] = [];
  let next = first;
  for (const number of numbers) {
    if (number < first) continue;
    if (number > last) break;
    if (number > next) runs.push({ timeline, first: next, last: number - 1n, isFound: false });
    const open = runs.at(-1);
    if (open?.isFound && open.last === number - 1n) runs[runs.length - 1] = { ...open, last: number };
    else runs.push({ timeline, first: number, last: number, isFound: true });
    next = number + 1n;
  }
  if (next <= last) runs.push({ timeline, first: next, last, isFound: false });
  return runs;
}

function smaller(a: bigint, b: bigint): bigint {
  if (b < 0n) return 0n;
  return a < b ? a : b;
}

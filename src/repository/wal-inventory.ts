import { parseSegmentName } from '../postgres/wal-name.ts';
import type { CallOptions } from '../storage/object-store.ts';
import type { Repository } from './repository.ts';
import { listSegments } from './wal-archive.ts';

/** The complete segments of one timeline that a repository holds. There is at least one. */
export interface TimelineSegments {
  readonly timeline: number;
  /** Running numbers (LSN / segment size), ascending, each once. */
  readonly segmentNumbers: readonly bigint[];
}

/** Segments that follow each other, from the first to the last. */
export interface SegmentRange {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The stored segments by timeline, the lowest first. It goes by names alone: nothing is read, and `.partial`, `.backup`, `.history`
 * and WAL-G's JSON and delta files do not count.
 *
 * @throws {@link UsageError} when a name does not exist with segments of this size
 */
export async function listTimelines(
  repository: Repository,
  segmentSizeBytes: number,
  options: CallOptions = {},
): Promise<TimelineSegments[]> {
  const timelines = new Map<number, bigint[]>();
  for await (const { fileName } of listSegments(repository, options)) {
    const { timeline, segmentNumber } = parseSegmentName(fileName, segmentSizeBytes);
    const numbers = timelines.get(timeline) ?? [];
    timelines.set(timeline, numbers);
    // The same segment may be stored in two compressions, one right after the other.
    if (numbers.at(-1) !== segmentNumber) numbers.push(segmentNumber);
  }
  return [...timelines].map(([timeline, segmentNumbers]) => ({ timeline, segmentNumbers }));
}

/** What is missing between the first and the last of ascending segment numbers. */
export function findGaps(segmentNumbers: readonly bigint[]): SegmentRange[] {
  const gaps: SegmentRange[] = [];
  for (const [index, number] of segmentNumbers.entries()) {
    const previous = segmentNumbers[index - 1];
    if (previous !== undefined && number > previous + 1n) gaps.push({ first: previous + 1n, last: number - 1n });
  }
  return gaps;
}

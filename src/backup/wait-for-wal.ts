import type { Context } from '../context.ts';
import { BusyError } from '../errors.ts';
import { formatSegmentName, nextSegment, type SegmentPosition } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import { listSegments } from '../repository/wal-archive.ts';
import { formatDuration } from '../util/duration.ts';

/** The segments that a backup needs, from the first to the last on one timeline. */
export interface WalSpan {
  readonly first: SegmentPosition;
  readonly last: SegmentPosition;
  readonly segmentSizeBytes: number;
}

/** Between two listings, doubled each time: a small backup is not held up, and a cloud store is not asked more than once a second. */
const firstPauseMs = 50;
const longestPauseMs = 1000;

/**
 * Waits until the repository holds every segment of the span, as whatever archives them brings them there.
 *
 * @param deadlineMs - how long to wait without any of them arriving; each that arrives starts it anew, so a long backlog may
 *   drain
 * @throws {@link BusyError} naming the first missing segment, when the deadline has passed
 */
export async function waitForWal(
  repository: Repository,
  span: WalSpan,
  deadlineMs: number,
  context: Context,
): Promise<void> {
  let missing = span.first;
  let pauseMs = firstPauseMs;
  let progressedAtMs = context.clock.now().getTime();
  for (;;) {
    const next = await findFirstMissing(repository, { ...span, first: missing }, context.signal);
    if (next === undefined) return;
    const nowMs = context.clock.now().getTime();
    if (next.segmentNumber !== missing.segmentNumber) progressedAtMs = nowMs;
    missing = next;
    if (nowMs - progressedAtMs >= deadlineMs) {
      const segment = formatSegmentName(missing, span.segmentSizeBytes);
      throw new BusyError(
        `wal segment ${segment} has not arrived in ${repository.store.location} after ${formatDuration(deadlineMs)}`,
        {
          hint: "Look at archive_command in the server's settings and at last_failed_wal in pg_stat_archiver; the server's log has what the command said.",
        },
      );
    }
    await context.clock.sleep(pauseMs, context.signal);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

/** The first segment of the span that the repository does not hold; undefined when it holds them all. */
async function findFirstMissing(
  repository: Repository,
  { first, last, segmentSizeBytes }: WalSpan,
  signal: AbortSignal,
): Promise<SegmentPosition | undefined> {
  const nameOf = (position: SegmentPosition) => formatSegmentName(position, segmentSizeBytes);
  const before = { ...first, segmentNumber: first.segmentNumber - 1n };
  const startAfter = first.segmentNumber > 0n ? nameOf(before) : undefined;
  let expected = first;
  const namePrefix = nameOf(first).slice(0, 8);
  for await (const { fileName } of listSegments(repository, { namePrefix, startAfter, signal })) {
    // The same segment may be stored in two compressions.
    if (fileName < nameOf(expected)) continue;
    if (fileName !== nameOf(expected)) return expected;
    if (expected.segmentNumber === last.segmentNumber) return undefined;
    expected = nextSegment(expected);
  }
  return expected;
}

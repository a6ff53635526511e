import type { Context } from '../context.ts';
import { BusyError, isAbortError } from '../errors.ts';
import { orAbort } from '../util/abortable.ts';
import { formatDuration } from '../util/duration.ts';

/** How long an operation may clean up after it was told to stop, before it is left to itself. */
const cleanUpMs = 5_000;

export interface Deadline {
  /** No limit without it. */
  readonly deadlineMs: number | undefined;
  /** For the message: `wal-push of 000000010000000000000002`. */
  readonly operation: string;
  /** What the operation was struggling with, if anything, when the time ran out. */
  readonly lastError?: () => unknown;
}

/**
 * Runs an operation that PostgreSQL waits for, so that PostgreSQL never waits for ever: when the deadline has passed, or the
 * context is aborted, the operation's signal is aborted, and when it does not even end then, it is left behind.
 *
 * @throws {@link BusyError} when the deadline has passed; the reason of the context's signal when that was aborted
 */
export async function withDeadline<T>(
  { deadlineMs, operation, lastError }: Deadline,
  context: Context,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  context.signal.throwIfAborted();
  const expired = new AbortController();
  const finished = new AbortController();
  const signal = AbortSignal.any([context.signal, expired.signal]);
  const abandoned = new AbortController();
  const leaveBehind = () => {
    context.clock.sleep(cleanUpMs, finished.signal).then(
      () => abandoned.abort(signal.reason),
      () => undefined,
    );
  };
  // A combined signal with a listener lives as long as the context's, and a long-lived process has one for each of its operations.
  signal.addEventListener('abort', leaveBehind, { signal: finished.signal });
  if (deadlineMs !== undefined) {
    context.clock.sleep(deadlineMs, finished.signal).then(
      () => expired.abort(timeoutError(operation, deadlineMs, lastError?.())),
      () => undefined,
    );
  }
  try {
    return await orAbort(() => run(signal), abandoned.signal);
  } catch (error) {
    // Node's own calls reject with an AbortError of their own instead of the signal's reason.
    throw signal.aborted && isAbortError(error) ? signal.reason : error;
  } finally {
    finished.abort();
  }
}

function timeoutError(operation: string, deadlineMs: number, cause: unknown): BusyError {
  return new BusyError(`${operation} did not finish within ${formatDuration(deadlineMs)}`, {
    cause,
    hint: 'Look whether the repository answers, and whether the way to it is fast enough.',
  });
}

import { orAbort } from '../../util/abortable.ts';

/**
 * Sends a request that ends when the answer has not begun after so many milliseconds, or when the signal is aborted.
 *
 * Both also end a wait that does not know the signal, such as that for a token. The signal handed on stays connected to that of the
 * caller, so that it ends the body of an answer, too; the time-out does not.
 *
 * @throws the signal's reason; after the time-out, an error with the code ETIMEDOUT
 */
export async function withTimeout<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  send: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const error = new Error(`no answer within ${Math.round(timeoutMs / 1000)} s`);
    timeout.abort(Object.assign(error, { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    const either = signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]);
    return await orAbort(() => send(either), either);
  } catch (error) {
    signal?.throwIfAborted();
    timeout.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

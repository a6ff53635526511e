/**
 * Sends a request that ends when the answer has not begun after so many milliseconds, or when the signal is aborted.
 *
 * The signal it hands on stays connected to that of the caller, so that it also ends the body of an answer; the time-out does not.
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
    return await send(signal === undefined ? timeout.signal : AbortSignal.any([signal, timeout.signal]));
  } catch (error) {
    signal?.throwIfAborted();
    timeout.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

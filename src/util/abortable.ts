/**
 * The same stream, but an abort ends the wait for the next chunk at once, also when the source hangs. Then, and when the consumer
 * leaves early, the source is told to finish (`return`).
 *
 * @throws the signal's reason
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  let hasEnded = false;
  try {
    for (;;) {
      const result = await orAbort(() => iterator.next(), signal);
      hasEnded = result.done === true;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    if (!hasEnded) await leave(iterator, signal);
  }
}

/** A source that hangs answers `return` only when it wakes up, so after an abort nobody waits for that. */
async function leave(iterator: AsyncIterator<unknown>, signal: AbortSignal): Promise<void> {
  const left = iterator.return?.();
  if (!signal.aborted) await left;
  else left?.catch(() => undefined);
}

/** What the call answers, or the signal's reason as soon as it is aborted. The listener lives no longer than the call. */
export async function orAbort<T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await call();
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([call(), aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

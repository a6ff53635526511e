import type { Readable } from 'node:stream';
import { StoreError } from '../../errors.ts';

export interface Reception {
  /** How many bytes must come. */
  readonly sizeBytes: number;
  /** No wait for the next chunk is longer than this; the time that the consumer takes does not count. */
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What fails when the connection breaks, falls silent or brings too few bytes: `read wal_005/… from s3://bucket`. */
  readonly action: string;
  /** Sees each chunk before it is handed on; `end` may throw when the whole is not what it should be. */
  readonly check?: { update(chunk: Uint8Array): void; end(): void } | undefined;
}

/**
 * The body of an HTTP response as the contract of `ObjectStore.get` wants it: exactly so many bytes or an error, and no
 * connection is left open behind a consumer that leaves, even one that leaves before the first chunk.
 */
export function receiveBody(source: Readable, reception: Reception): AsyncIterable<Uint8Array> {
  // A break before anybody reads would otherwise be an unhandled 'error' event; the first read reports it.
  source.on('error', () => undefined);
  return { [Symbol.asyncIterator]: () => receive(source, reception) };
}

function receive(source: Readable, reception: Reception): AsyncIterator<Uint8Array> {
  const { sizeBytes, idleTimeoutMs, signal, check } = reception;
  const chunks: AsyncIterator<Uint8Array> = source[Symbol.asyncIterator]();
  let receivedBytes = 0;
  const failure = (cause: unknown) =>
    new StoreError(`cannot ${reception.action}: it broke off after ${receivedBytes} of ${sizeBytes} bytes`, {
      cause,
      retryable: true,
    });

  const nextChunk = async () => {
    const silence = setTimeout(() => {
      source.destroy(new Error(`no byte came for ${Math.round(idleTimeoutMs / 1000)} s`));
    }, idleTimeoutMs);
    try {
      return await chunks.next();
    } catch (error) {
      signal?.throwIfAborted();
      throw failure(error);
    } finally {
      clearTimeout(silence);
    }
  };

  return {
    next: async () => {
      signal?.throwIfAborted();
      const result = await nextChunk();
      if (result.done !== true) {
        receivedBytes += result.value.length;
        check?.update(result.value);
        return { done: false, value: result.value };
      }
      if (receivedBytes !== sizeBytes) throw failure(undefined);
      check?.end();
      return { done: true, value: undefined };
    },
    return: async () => {
      source.destroy();
      return { done: true, value: undefined };
    },
  };
}

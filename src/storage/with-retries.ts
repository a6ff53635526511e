import type { Context } from '../context.ts';
import { describeError, StoreError } from '../errors.ts';
import { type BackOff, createBackOff, type RetryPolicy } from '../util/back-off.ts';
import type { GetOptions, ListOptions, ObjectInfo, ObjectStore, StoredObject } from './object-store.ts';
import { resumeBody } from './resume-body.ts';
import { watchBody } from './watched-body.ts';

export type { RetryPolicy } from '../util/back-off.ts';

/**
 * Tries again, with back-off, what failed with a retryable {@link StoreError}; everything else is thrown at once, and so is
 * that error once the policy's deadline has passed.
 *
 * - `put` calls a body that is a function once per attempt; what the body itself throws is never retried. After a failure that
 *   left the outcome open (a reset behind the last byte) an `ifAbsent` put may meet its own object: it then throws
 *   `AlreadyExistsError` like any other, and the caller compares bytes.
 * - `list` goes on behind the last key that it gave.
 * - The body of `get` goes on at the byte where it broke, as long as the object is still the same (`resume-body.ts`).
 */
export function withRetries(store: ObjectStore, policy: RetryPolicy, context: Context): ObjectStore {
  return {
    location: store.location,
    async put(key, body, options) {
      const watched = watchBody(body);
      const mayRepeat = (error: unknown) => isRetryable(error) && !watched.threw(error);
      await persist(backOff('put', key, options?.signal, mayRepeat), () => store.put(key, watched.body, options));
    },
    get: (key, options) => getResumable(key, options),
    head: (key, options) => persist(backOff('head', key, options?.signal), () => store.head(key, options)),
    list: (prefix, options) => listOn(prefix, options),
    async delete(keys, options) {
      const first = keys[0];
      if (first === undefined) return;
      await persist(backOff('delete', first, options?.signal), () => store.delete(keys, options));
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };

  function backOff(
    operation: string,
    key: string,
    signal: AbortSignal | undefined,
    isTransient = isRetryable,
  ): BackOff {
    return createBackOff(policy, {
      clock: context.clock,
      signal,
      isTransient,
      onWait: ({ error, failures, delayMs }) => {
        const fields = { store: store.location, operation, key, failures, delayMs, cause: describeError(error) };
        context.log.warn(fields, 'the store failed, trying again');
      },
    });
  }

  async function getResumable(key: string, options?: GetOptions): Promise<StoredObject> {
    const waits = backOff('get', key, options?.signal);
    const object = await persist(waits, () => store.get(key, options));
    return { ...object, body: resumeBody(store, object, options, waits) };
  }

  async function* listOn(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo> {
    const waits = backOff('list', prefix, options?.signal);
    let startAfter = options?.startAfter;
    for (;;) {
      try {
        for await (const object of store.list(prefix, { ...options, startAfter })) {
          waits.progressed();
          yield object;
          startAfter = object.key;
        }
        return;
      } catch (error) {
        await waits.afterFailure(error);
      }
    }
  }
}

async function persist<T>(waits: BackOff, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await waits.afterFailure(error);
    }
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof StoreError && error.retryable;
}

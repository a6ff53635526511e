import { NotFoundError } from '../errors.ts';
import type { BackOff } from '../util/back-off.ts';
import type { GetOptions, ObjectInfo, ObjectStore, StoredObject } from './object-store.ts';

/**
 * The body of an opened object that survives broken connections: it opens the object again at the byte where it broke. When the
 * object is gone by then, or has another size or time and so other bytes, the error of the break is thrown.
 *
 * @param options - those with which the object was opened
 * @param waits - decides whether and when to go on; bytes that arrive count as progress
 */
export async function* resumeBody(
  store: ObjectStore,
  opened: StoredObject,
  options: GetOptions | undefined,
  waits: BackOff,
): AsyncGenerator<Uint8Array> {
  const end = Math.min(options?.range?.end ?? opened.sizeBytes, opened.sizeBytes);
  let position = options?.range?.start ?? 0;
  let body = opened.body;
  for (;;) {
    try {
      for await (const chunk of body) {
        position += chunk.length;
        waits.progressed();
        yield chunk;
      }
      return;
    } catch (error) {
      // All bytes were there, so what failed is a check of the whole (a checksum): reading on cannot heal that.
      if (position >= end) throw error;
      body = await reopen(error);
    }
  }

  async function reopen(reason: unknown): Promise<AsyncIterable<Uint8Array>> {
    for (let error = reason; ; ) {
      await waits.afterFailure(error);
      let again: StoredObject;
      try {
        again = await store.get(opened.key, { ...options, range: { start: position, end } });
      } catch (failure) {
        if (failure instanceof NotFoundError) throw reason;
        error = failure;
        continue;
      }
      if (isSameObject(again, opened)) return again.body;
      await leave(again.body);
      throw reason;
    }
  }
}

function isSameObject(left: ObjectInfo, right: ObjectInfo): boolean {
  return left.sizeBytes === right.sizeBytes && left.modifiedAt.getTime() === right.modifiedAt.getTime();
}

/** Frees the connection of a body that nobody will read. */
async function leave(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) break;
}

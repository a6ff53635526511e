import { StoreError } from '../../errors.ts';
import { compareKeys } from '../key.ts';
import type { ObjectInfo } from '../object-store.ts';

/**
 * The objects of a listing behind `startAfter`. Some kinds of store list in an order of their own (directory buckets of S3, storage
 * accounts with a hierarchical namespace); there a walk along the keys would miss objects, so it ends in an error instead.
 *
 * @param location - for messages
 */
export async function* inOrder(
  objects: AsyncIterable<ObjectInfo>,
  startAfter: string | undefined,
  location: string,
): AsyncGenerator<ObjectInfo> {
  let last = startAfter;
  let isFirst = true;
  for await (const object of objects) {
    const step = last === undefined ? 1 : compareKeys(object.key, last);
    if (isFirst && step <= 0 && last === startAfter) continue;
    if (step <= 0) {
      throw new StoreError(`cannot list ${location}: ${object.key} came behind ${last}`, {
        retryable: false,
        hint: 'Use a bucket or an account without hierarchical namespace, which lists keys in byte order.',
      });
    }
    isFirst = false;
    last = object.key;
    yield object;
  }
}

import { StoreError } from '../../errors.ts';
import { compareKeys } from '../key.ts';
import type { ListOptions, ObjectInfo } from '../object-store.ts';

/**
 * The objects of a listing behind `startAfter`, as far as the signal lets it go. Some kinds of store list in an order of their own
 * (directory buckets of S3, storage accounts with a hierarchical namespace); there a walk along the keys would miss objects, so it
 * ends in an error instead.
 *
 * @param location - for messages
 */
export async function* inOrder(
  objects: AsyncIterable<ObjectInfo>,
  { startAfter, signal }: ListOptions,
  location: string,
): AsyncGenerator<ObjectInfo> {
  let last: string | undefined;
  for await (const object of objects) {
    signal?.throwIfAborted();
    if (last !== undefined && compareKeys(object.key, last) <= 0) {
      throw new StoreError(`cannot list ${location}: ${object.key} came behind ${last}`, {
        retryable: false,
        hint: 'Use a bucket or an account without hierarchical namespace, which lists keys in byte order.',
      });
    }
    last = object.key;
    if (startAfter === undefined || compareKeys(object.key, startAfter) > 0) yield object;
  }
  signal?.throwIfAborted();
}

import { randomUUID } from 'node:crypto';
import { NotFoundError } from '../errors.ts';
import type { CallOptions, ObjectStore } from '../storage/object-store.ts';
import { keyOfPath } from './find-objects.ts';

/**
 * Proves that the store can be listed, and that these objects are there.
 *
 * @throws {@link NotFoundError} naming all that are not
 * @throws what the store throws
 */
export async function checkReading(
  store: ObjectStore,
  paths: readonly string[],
  options: CallOptions = {},
): Promise<void> {
  for await (const _ of store.list('', options)) break;
  const missing: string[] = [];
  for (const path of paths) {
    try {
      await store.head(keyOfPath(path), options);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      missing.push(path);
    }
  }
  if (missing.length > 0) throw new NotFoundError(`files are missing: ${missing.join(', ')}`);
}

/** Proves that an object can be stored and deleted, with one of a name that nobody has. @throws what the store throws */
export async function checkWriting(store: ObjectStore, options: CallOptions = {}): Promise<void> {
  const key = `seawall_access_check_${randomUUID()}`;
  await store.put(key, Buffer.from('test'), { ...options, ifAbsent: true });
  await store.delete([key], options);
}

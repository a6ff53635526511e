import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError } from '../../errors.ts';
import { checkPrefix } from '../key.ts';
import type { CallOptions, ListOptions, ObjectInfo, ObjectStore } from '../object-store.ts';
import { deleteFiles } from './filesystem-delete.ts';
import { requireRoot } from './filesystem-failure.ts';
import { describeFile, listFiles } from './filesystem-list.ts';
import { placeOf } from './filesystem-place.ts';
import { putFile } from './filesystem-put.ts';
import { absent, getFile } from './filesystem-read.ts';

/**
 * A directory as a store: each key is the path of a file below the root, as in WAL-G's file storage.
 *
 * The root must exist and is never created, so that a volume that is not mounted cannot pass for an empty repository; for the same
 * reason it should be a directory on the volume, not the mount point. Folders below it come with the first object in them and stay
 * when the last is deleted. Its file system must have hard links: link(2) is what makes create-if-absent atomic, between the
 * clients of an NFS server too. Where there are none, an `ifAbsent` put is refused.
 *
 * A full disk and a read-only one are a `LocalFileError`, not a `StoreError`.
 *
 * @param path - absolute; whether it exists shows at the first call
 * @throws {@link ConfigError} when it is not absolute
 */
export function createFilesystemStore(path: string): ObjectStore {
  if (!isAbsolute(path))
    throw new ConfigError(`cannot use ${JSON.stringify(path)} as a repository: not an absolute path`);
  const root = resolve(path);
  return {
    location: pathToFileURL(root).href,
    put: async (key, body, options = {}) => await putFile(placeOf(root, key), body, options),
    get: async (key, options = {}) => await getFile(placeOf(root, key), options),
    head: (key, options) => head(root, key, options),
    list: (prefix, options) => list(root, prefix, options),
    delete: async (keys, options = {}) => {
      const places = keys.map((key) => placeOf(root, key));
      await deleteFiles(places, options);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function head(root: string, key: string, options: CallOptions = {}): Promise<ObjectInfo> {
  const place = placeOf(root, key);
  options.signal?.throwIfAborted();
  const object = await describeFile(root, key);
  if (object !== undefined) return object;
  await requireRoot(root);
  throw absent(place);
}

async function* list(root: string, prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  options.signal?.throwIfAborted();
  yield* listFiles(root, prefix, options);
}

import { matchesGlob } from 'node:path';
import { UsageError } from '../errors.ts';
import type { CallOptions, ObjectInfo, ObjectStore } from '../storage/object-store.ts';

/** What a folder holds directly: folders (their names end with a slash) and objects. Names are those below the folder. */
export interface FolderListing {
  readonly folders: readonly string[];
  readonly objects: readonly ObjectInfo[];
}

/** A path in a store as somebody writes it, without slashes at its ends or doubled ones. */
export function keyOfPath(path: string): string {
  return path.split('/').filter(Boolean).join('/');
}

/** All objects below a folder, however deep; the root unless told. */
export async function listFolder(store: ObjectStore, path: string, options: CallOptions = {}): Promise<ObjectInfo[]> {
  const folder = keyOfPath(path);
  return await Array.fromAsync(store.list(folder === '' ? '' : `${folder}/`, options));
}

/**
 * Puts the objects below a folder together to what lies directly in it.
 *
 * @param objects - as {@link listFolder} gives them
 */
export function listingOf(path: string, objects: readonly ObjectInfo[]): FolderListing {
  const folder = keyOfPath(path);
  const prefixLength = folder === '' ? 0 : folder.length + 1;
  const folders = new Set<string>();
  const direct = objects.filter(({ key }) => {
    const slash = key.indexOf('/', prefixLength);
    if (slash !== -1) folders.add(key.slice(prefixLength, slash + 1));
    return slash === -1;
  });
  return { folders: [...folders], objects: direct };
}

/** The objects whose keys match a pattern (`*`, `?`, `[…]`, `**`), and all below the folders that do. */
export async function findMatching(
  store: ObjectStore,
  pattern: string,
  options: CallOptions = {},
): Promise<ObjectInfo[]> {
  const wanted = keyOfPath(pattern);
  const literal = /^[^*?[{]*/.exec(wanted)?.[0] ?? '';
  const found: ObjectInfo[] = [];
  for await (const object of store.list(literal, options)) {
    const parts = object.key.split('/');
    if (parts.some((_part, index) => matchesGlob(parts.slice(0, index + 1).join('/'), wanted))) found.push(object);
  }
  return found;
}

/**
 * What a path names: the object of that key; without one, or when the path ends with a slash, everything below the folder.
 *
 * @throws {@link UsageError} for the root, which nobody means
 */
export async function findByPath(store: ObjectStore, path: string, options: CallOptions = {}): Promise<ObjectInfo[]> {
  const key = keyOfPath(path);
  if (key === '') {
    throw new UsageError('the path names the whole store', { hint: 'Name an object or a folder.' });
  }
  if (!path.endsWith('/')) {
    for await (const object of store.list(key, options)) {
      if (object.key === key) return [object];
      break;
    }
  }
  return await listFolder(store, key, options);
}

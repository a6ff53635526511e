import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isTemporaryName } from '../../util/temporary-name.ts';
import { compareKeys } from '../key.ts';
import type { ListOptions, ObjectInfo } from '../object-store.ts';
import { isAbsence, requireRoot, translateFailure } from './filesystem-failure.ts';

/** Node's default of 32 makes a large folder three times as slow. */
const entriesPerRead = 1024;

/** So many files are asked for their size at once; on a network file system each answer is a round trip. */
const statsAtOnce = 64;

interface Selection {
  readonly prefix: string;
  readonly startAfter: string;
}

/**
 * The objects below the root, in the byte order of their keys. Links to files and folders are followed. Memory: the names of one
 * folder at a time, with those of the folders above it.
 */
export async function* listFiles(root: string, prefix: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const keys = walk(root, folder, { prefix, startAfter: options.startAfter ?? '' });
  for await (const batch of inBatches(keys, statsAtOnce)) {
    for (const object of await Promise.all(batch.map((key) => describeFile(root, key)))) {
      options.signal?.throwIfAborted();
      // It has vanished since, or is no plain file.
      if (object !== undefined) yield object;
    }
  }
}

async function* inBatches<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of source) {
    if (batch.push(item) < size) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/**
 * The selected keys of a folder and of those in it. A folder sorts as its name with a slash, since that is how its keys begin:
 * `a.b` comes before `a/c`, which comes before `ab`.
 */
async function* walk(root: string, folder: string, selection: Selection): AsyncGenerator<string> {
  const keys = await readFolder(root, folder, selection);
  for (const key of keys.sort(compareKeys)) {
    if (key.endsWith('/')) yield* walk(root, key, selection);
    else yield key;
  }
}

/** The selected keys directly in a folder, and the folders in it with a slash behind them; none when it is missing. */
async function readFolder(root: string, folder: string, selection: Selection): Promise<string[]> {
  const path = join(root, folder);
  try {
    const keys: string[] = [];
    // Entry by entry: a question about one segment holds none of the names of the others.
    for await (const entry of await opendir(path, { bufferSize: entriesPerRead })) {
      const key = folder + entry.name;
      const isFar = !key.startsWith(selection.prefix) && !selection.prefix.startsWith(`${key}/`);
      if (isFar || isTemporaryName(entry.name)) continue;
      const isLink = entry.isSymbolicLink();
      const isFolder = isLink ? await leadsToFolder(join(path, entry.name)) : entry.isDirectory();
      if (!isFolder && !isLink && !entry.isFile()) continue;
      const listed = isFolder ? `${key}/` : key;
      if (isSelected(listed, selection)) keys.push(listed);
    }
    return keys;
  } catch (error) {
    if (!isAbsence(error)) throw await translateFailure(root, `cannot list ${path}`, error);
    await requireRoot(root);
    return [];
  }
}

async function leadsToFolder(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isDirectory();
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** A folder is selected when a key in it may be. */
function isSelected(key: string, { prefix, startAfter }: Selection): boolean {
  const isAfter = compareKeys(key, startAfter) > 0;
  if (!key.endsWith('/')) return isAfter && key.startsWith(prefix);
  return (isAfter || startAfter.startsWith(key)) && (key.startsWith(prefix) || prefix.startsWith(key));
}

/** Size and time of one object; undefined when there is no plain file of this key. */
export async function describeFile(root: string, key: string): Promise<ObjectInfo | undefined> {
  const path = join(root, key);
  try {
    const stats = await stat(path);
    return stats.isFile() ? { key, sizeBytes: stats.size, modifiedAt: stats.mtime } : undefined;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw await translateFailure(root, `cannot read ${path}`, error);
  }
}

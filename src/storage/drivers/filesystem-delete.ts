import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '../../errors.ts';
import { syncFolder } from '../../util/fsync.ts';
import type { CallOptions } from '../object-store.ts';
import { isAbsence, requireRoot, translateFailure } from './filesystem-failure.ts';
import type { FilePlace } from './filesystem-place.ts';

const removalsAtOnce = 32;

/**
 * Removes the objects, see {@link ObjectStore.delete}. The folders are synced at the end, so that what is deleted first (a sentinel)
 * does not come back after a power loss when what was deleted later does not.
 */
export async function deleteFiles(places: readonly FilePlace[], { signal }: CallOptions): Promise<void> {
  let anyMissing = false;
  for (let index = 0; index < places.length; index += removalsAtOnce) {
    signal?.throwIfAborted();
    const removed = await Promise.all(places.slice(index, index + removalsAtOnce).map(removeFile));
    anyMissing ||= removed.includes(false);
  }
  const [first] = places;
  if (first !== undefined && anyMissing) await requireRoot(first.root);
  for (const folder of new Set(places.map(({ path }) => dirname(path)))) await syncFolderIfThere(folder);
}

/** Whether there was a file to remove; a folder of that name is no object. */
async function removeFile({ root, path }: FilePlace): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isAbsence(error) || systemErrorCode(error) === 'EISDIR') return false;
    throw await translateFailure(root, `cannot delete ${path}`, error);
  }
}

async function syncFolderIfThere(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

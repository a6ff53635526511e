import { readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../errors.ts';
import { syncFolder } from '../../util/fsync.ts';
import { isTemporaryName } from '../../util/temporary-name.ts';
import type { CallOptions } from '../object-store.ts';
import { isAbsence, requireRoot, translateFailure } from './filesystem-failure.ts';
import type { FilePlace } from './filesystem-place.ts';

const removalsAtOnce = 32;

/** Whoever has not written to his temporary file for a day was killed: a live writer fills one in minutes. */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

/**
 * Removes the objects, see {@link ObjectStore.delete}, and with them what killed writers left in their folders: temporary files that
 * nobody has touched for a day. The folders are synced at the end, so that what is deleted first (a sentinel) does not come back
 * after a power loss when what was deleted later does not.
 */
export async function deleteFiles(places: readonly FilePlace[], { signal }: CallOptions): Promise<void> {
  const [first] = places;
  if (first === undefined) return;
  let isAnyMissing = false;
  for (let index = 0; index < places.length; index += removalsAtOnce) {
    signal?.throwIfAborted();
    const removed = await Promise.all(places.slice(index, index + removalsAtOnce).map(removeFile));
    isAnyMissing ||= removed.includes(false);
  }
  if (isAnyMissing) await requireRoot(first.root);
  for (const folder of new Set(places.map(({ path }) => dirname(path)))) {
    signal?.throwIfAborted();
    await tidyFolder(folder).catch(async (error: unknown) => {
      if (!isAbsence(error)) throw await translateFailure(first.root, `cannot tidy ${folder}`, error);
    });
  }
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

async function tidyFolder(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isTemporaryName)) {
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > abandonedAfterMs) await unlink(path);
  }
  await syncFolder(folder);
}

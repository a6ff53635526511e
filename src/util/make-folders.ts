import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { syncFolder } from './fsync.ts';

/**
 * Creates what is missing of a directory below a root, and makes the new names durable. The root itself is never created.
 *
 * @param folder - lies below the root, or is the root
 * @param mode - permission bits of new directories, less the umask
 * @throws the system's error; `ENOENT` when the root does not exist
 */
export async function makeFolders(root: string, folder: string, mode: number): Promise<void> {
  if (folder === root) return;
  try {
    await makeFolder(folder, mode);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(folder) === root) throw error;
    await makeFolders(root, dirname(folder), mode);
    await makeFolder(folder, mode);
  }
}

async function makeFolder(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, mode);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  // Also when somebody else has just created it: they may not have come to this yet.
  await syncFolder(dirname(folder));
}

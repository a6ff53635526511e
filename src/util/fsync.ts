import type { PathLike } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemErrorCode } from '../errors.ts';

/** Makes the bytes and the size of an existing file durable, whoever wrote them. */
export async function syncFile(path: PathLike): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Makes the names in a directory durable: after a power loss a file that was created, linked, renamed or removed there stays so.
 *
 * Some file systems cannot sync a directory and say EINVAL or EBADF; that is no failure, as in PostgreSQL itself.
 *
 * @see postgres src/backend/storage/file/fd.c, fsync_fname_ext
 */
export async function syncFolder(path: PathLike): Promise<void> {
  try {
    await syncFile(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'EINVAL' && code !== 'EBADF') throw error;
  }
}

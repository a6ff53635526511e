import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AlreadyExistsError, ConfigError, StoreError, systemErrorCode } from '../../errors.ts';
import { writeFileAtomically } from '../../util/atomic-file.ts';
import { syncFile, syncFolder } from '../../util/fsync.ts';
import { makeFolders } from '../../util/make-folders.ts';
import type { Body, PutOptions } from '../object-store.ts';
import { watchBody } from '../watched-body.ts';
import { translateFailure } from './filesystem-failure.ts';
import type { FilePlace } from './filesystem-place.ts';

/** For their owner, and for a group that reads backups, as far as the umask lets it. */
const fileMode = 0o640;
const folderMode = 0o750;

/** How link(2) says that the file system has no hard links: FAT, SMB and FUSE in their various ways. */
const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Stores one object, see {@link ObjectStore.put}; folders that are missing below the root are created. */
export async function putFile(place: FilePlace, body: Body, { ifAbsent, signal }: PutOptions): Promise<void> {
  signal?.throwIfAborted();
  const watched = watchBody(body);
  const write = () => writeFileAtomically(place.path, watched.body, { ifAbsent, signal, mode: fileMode });
  try {
    try {
      await write();
    } catch (error) {
      if (watched.threw(error) || systemErrorCode(error) !== 'ENOENT') throw error;
      await makeFolders(place.root, dirname(place.path), folderMode);
      await write();
    }
  } catch (error) {
    if (watched.threw(error)) throw error;
    signal?.throwIfAborted();
    throw await explainFailure(place, error);
  }
}

async function explainFailure(place: FilePlace, error: unknown): Promise<unknown> {
  const message = `cannot store ${place.path}`;
  const linkFault =
    error instanceof Error && 'syscall' in error && error.syscall === 'link' ? systemErrorCode(error) : undefined;
  if (linkFault !== undefined && noHardLinks.has(linkFault)) {
    return new ConfigError(`${message}: its file system has no hard links`, {
      cause: error,
      hint: 'Keep the repository on a file system with hard links, such as ext4, XFS, ZFS or NFS, or in an object store.',
    });
  }
  if (linkFault !== 'EEXIST') return await translateFailure(place.root, message, error);
  try {
    await syncTaken(place, message);
  } catch (failure) {
    return await translateFailure(place.root, message, failure);
  }
  return new AlreadyExistsError(`${message}: it exists already`, { cause: error });
}

/**
 * Makes durable what is there already: its writer may have died between link(2) and the fsync of the folder, and the caller will
 * take equal bytes for stored ones.
 */
async function syncTaken({ path }: FilePlace, message: string): Promise<void> {
  if (!(await stat(path)).isFile())
    throw new StoreError(`${message}: something else than a file has its name`, { retryable: false });
  await syncFile(path);
  await syncFolder(dirname(path));
}

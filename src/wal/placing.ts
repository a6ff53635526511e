import { lstat, readdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../context.ts';
import { LocalFileError, systemErrorCode } from '../errors.ts';
import { writeFileAtomically } from '../util/atomic-file.ts';
import { fileError } from '../util/file-error.ts';
import { isTemporaryName, temporaryNameFor } from '../util/temporary-name.ts';

/** PostgreSQL's own tools skip names that begin with `pgsql_tmp`, and recovery takes none of them for WAL. */
const temporaryStem = 'pgsql_tmp_seawall';

/** A file that was not written to for so long belongs to nobody. Process ids would tell sooner, but containers each have their own. */
const leftoverAgeMs = 15 * 60 * 1000;

/**
 * Puts a file at its destination, whole and (unless told otherwise) durable, replacing what is there; while it is being written, it
 * has another name.
 *
 * @param content - opens the bytes; when it throws, that very error is thrown here, and the destination is as before
 * @throws {@link LocalFileError} or {@link PermissionError} when the destination cannot be written, or is no file
 */
export async function placeFile(
  destination: string,
  content: () => AsyncIterable<Uint8Array>,
  { signal, isDurable = true }: { readonly signal: AbortSignal; readonly isDurable?: boolean },
): Promise<void> {
  await refuseDevice(destination);
  const temporaryPath = temporaryNameFor(join(dirname(destination), temporaryStem));
  try {
    await writeFileAtomically(destination, content, { temporaryPath, isDurable, signal });
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    if (systemErrorCode(error) !== 'ENOENT')
      throw fileError(`cannot write ${destination}`, dirname(destination), error);
    throw new LocalFileError(`cannot write ${destination}: its directory does not exist`, {
      cause: error,
      hint: 'Give the path, %p in restore_command; a relative one counts from the working directory.',
    });
  }
}

/** root, who wants to see whether a file can be fetched, names /dev/null, which would be a plain file from then on. */
async function refuseDevice(destination: string): Promise<void> {
  const stats = await lstat(destination).catch(() => undefined);
  if (stats === undefined || stats.isFile() || stats.isSymbolicLink()) return;
  throw new LocalFileError(`cannot write ${destination}: something else than a file has its name`, {
    hint: 'Give the path of a file that may be replaced.',
  });
}

/**
 * Removes what killed calls left beside a destination. Nothing depends on it, so what cannot be removed stays.
 */
export async function sweepLeftovers(destination: string, clock: Clock): Promise<void> {
  const directory = dirname(destination);
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((candidate) => candidate.startsWith(temporaryStem) && isTemporaryName(candidate))) {
    const path = join(directory, name);
    await removeIfOld(path, clock).catch(() => undefined);
  }
}

async function removeIfOld(path: string, clock: Clock): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (clock.now().getTime() - mtimeMs > leftoverAgeMs) await unlink(path);
}

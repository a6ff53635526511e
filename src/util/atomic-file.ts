import { type FileHandle, link, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { abortable } from './abortable.ts';
import { syncFolder } from './fsync.ts';
import { temporaryNameFor } from './temporary-name.ts';

/** Small chunks are gathered to this size: larger ones, such as a compressed MiB, are written as they come, without a copy. */
const writeSizeBytes = 512 * 1024;

/** Bytes, or a function that opens a stream of them; it is called once. */
export type FileContent = Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface AtomicWriteOptions {
  /** Fails with the system's `EEXIST`, instead of replacing, when the path is taken. */
  readonly ifAbsent?: boolean | undefined;
  /** Permission bits, less the umask; 0640 unless told. */
  readonly mode?: number | undefined;
  /** Where the bytes are until they are complete, on the same file system; a name beside it that `isTemporaryName` knows unless told. */
  readonly temporaryPath?: string | undefined;
  /** Whether the file must survive a power loss; so it does unless told. */
  readonly isDurable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file so that everybody sees all of it or nothing, also after a crash at any instruction: temporary file in the same
 * directory, fsync, link or rename into place, fsync of the directory. When it resolves, the file is durable under its name. On a
 * failure or an abort the temporary file is removed; after a kill it stays.
 *
 * With `ifAbsent`, link(2) decides which of several writers wins, on NFS too. Where a file system has no hard links the system's
 * error (`EPERM`, `ENOTSUP`, `ENOSYS`) surfaces: nothing else that Node offers creates a name atomically with its content.
 *
 * @throws the system's error, what the content threw, or the signal's reason; the directory must exist
 */
export async function writeFileAtomically(
  path: string,
  content: FileContent,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const temporary = options.temporaryPath ?? temporaryNameFor(path);
  const handle = await open(temporary, 'wx', options.mode ?? 0o640);
  try {
    try {
      await writeContent(handle, content, options.signal);
      if (options.isDurable !== false) await handle.sync();
    } finally {
      await handle.close();
    }
    options.signal?.throwIfAborted();
    if (options.ifAbsent === true) await linkInPlace(temporary, path);
    else await rename(temporary, path);
  } catch (error) {
    await removeTemporary(temporary);
    throw error;
  }
  if (options.ifAbsent === true) await removeTemporary(temporary);
  if (options.isDurable !== false) await syncFolder(dirname(path));
}

async function writeContent(handle: FileHandle, content: FileContent, signal: AbortSignal | undefined): Promise<void> {
  if (content instanceof Uint8Array) {
    await writeFully(handle, content);
    return;
  }
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  const flush = async () => {
    const [first] = gathered;
    if (first === undefined) return;
    await writeFully(handle, gathered.length === 1 ? first : Buffer.concat(gathered));
    gathered = [];
    gatheredBytes = 0;
  };
  for await (const chunk of abortable(content(), signal)) {
    gathered.push(chunk);
    gatheredBytes += chunk.length;
    if (gatheredBytes >= writeSizeBytes) await flush();
  }
  await flush();
}

/** write(2) may take a part only, for example the last bytes of a disk that is getting full. */
async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

async function linkInPlace(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    // NFS repeats a call whose answer was lost and then reports our own link as EEXIST; open(2) names the link count as the proof.
    if (systemErrorCode(error) !== 'EEXIST' || (await stat(temporary)).nlink !== 2) throw error;
  }
}

/** A temporary file that cannot be removed is left behind: the error that led here, or the success, is what counts. */
async function removeTemporary(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

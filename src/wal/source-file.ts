import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { IntegrityError, LocalFileError, type SeawallError, systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';

/** Each read is a turn of the event loop and of the thread pool, so few and large ones. */
const readSizeBytes = 1024 * 1024;

/** A local WAL file that is to be pushed. */
export interface SourceFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  /** The first bytes, or all when the file has fewer. */
  readStart(lengthBytes: number): Promise<Uint8Array>;
  /**
   * All bytes from the start; may be called several times.
   *
   * @param reuseBuffer - a chunk is valid only until the next one is asked for. Otherwise each has memory of its own, which only the
   *   garbage collector gives back.
   * @throws {@link IntegrityError} at the end when the file was changed since it was opened
   */
  read(options?: { readonly reuseBuffer?: boolean }): AsyncGenerator<Uint8Array>;
}

/**
 * Opens a WAL file.
 *
 * @param path - `%p` of archive_command: relative to the working directory, which is then the data directory
 * @throws {@link LocalFileError} when there is no such file or it is not a plain one
 */
export async function openSourceFile(path: string): Promise<SourceFile> {
  const handle = await openForReading(path);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw new LocalFileError(`cannot read ${path}: not a plain file`);
    return sourceFile(path, handle, stats);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, a named pipe would make open(2) wait for a writer.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw systemErrorCode(error) === 'ENOENT'
      ? missingFile(path, error)
      : fileError(`cannot read ${path}`, path, error);
  }
}

function missingFile(path: string, cause: unknown): SeawallError {
  const hint = path.includes('/')
    ? 'A relative path counts from the working directory, which is the data directory when PostgreSQL calls.'
    : 'Give the path, %p in archive_command; %f is only the name.';
  return new LocalFileError(`cannot read ${path}: there is no such file`, { cause, hint });
}

function sourceFile(path: string, handle: FileHandle, stats: BigIntStats): SourceFile {
  const sizeBytes = Number(stats.size);
  return {
    path,
    sizeBytes,
    modifiedAt: stats.mtime,
    readStart: (lengthBytes) => readInto(Buffer.allocUnsafeSlow(Math.min(lengthBytes, sizeBytes)), 0),
    async *read({ reuseBuffer = false } = {}) {
      const allocate = () => Buffer.allocUnsafeSlow(Math.min(readSizeBytes, sizeBytes));
      let buffer = allocate();
      for (let position = 0; position < sizeBytes; ) {
        const chunk = await readInto(buffer.subarray(0, sizeBytes - position), position);
        if (chunk.length === 0) break;
        position += chunk.length;
        yield chunk;
        if (!reuseBuffer) buffer = allocate();
      }
      await requireUnchanged(path, handle, stats);
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };

  async function readInto(buffer: Buffer, position: number): Promise<Uint8Array> {
    try {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw fileError(`cannot read ${path}`, path, error);
    }
  }
}

/** Both the open file, which may have been written to, and the path, where another file may have taken its place. */
async function requireUnchanged(path: string, handle: FileHandle, before: BigIntStats): Promise<void> {
  const now = await Promise.all([handle.stat({ bigint: true }), stat(path, { bigint: true })]).catch(
    (error: unknown) => {
      throw fileError(`cannot read ${path}`, path, error);
    },
  );
  const isSame = ({ dev, ino, size, mtimeNs }: BigIntStats): boolean =>
    dev === before.dev && ino === before.ino && size === before.size && mtimeNs === before.mtimeNs;
  if (now.every(isSame)) return;
  throw new IntegrityError(`WAL file ${path} changed while it was read`, {
    hint: 'Only PostgreSQL may write there, and it leaves a segment alone until it is archived: look for who else does.',
  });
}

import { closeSync, constants, fchmodSync, ftruncateSync, futimesSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { IntegrityError, systemErrorCode } from '../errors.ts';
import { byteStringAsText, bytesOf } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';

/**
 * A file that is being written. A data directory may have a hundred thousand small ones, for which the way to the thread pool and
 * back costs five times as much as the calls themselves: what is small is done at once, only large pieces are handed to the pool.
 */
export interface NewFile {
  /** Writes behind what has been written before, or at a position. */
  write(piece: Uint8Array, positionBytes?: number): Promise<void>;
  /** Gives it this size; what has not been written reads as zeros. */
  resize(sizeBytes: number): void;
  /** Sets permissions and time, and gives the descriptor away, to be synced and closed. */
  finish(mode: number, modifiedAt: Date): number;
  /** Closes it as it is. */
  abandon(): void;
}

/** Copied into the page cache in some 50 microseconds. */
const smallPieceBytes = 256 * 1024;

const writeInPool = promisify(write);

/**
 * Creates a file. It must be new, and nothing on the way to it a link or a file: then it lies where its name says.
 *
 * @param place - a byte string
 * @param what - begins the message when the place is taken
 * @throws {@link IntegrityError} when something is in its place or on the way to it
 * @throws {@link LocalFileError} or {@link PermissionError} when it cannot be created or, from the members, written
 */
export function createNewFile(place: string, what: string): NewFile {
  const name = byteStringAsText(place);
  return fileOf(openNew(place, name, what), name);
}

/** Opens a file again that has been created and abandoned. @throws as {@link createNewFile} */
export function openAgain(place: string): NewFile {
  const name = byteStringAsText(place);
  try {
    return fileOf(openSync(bytesOf(place), constants.O_WRONLY | constants.O_NOFOLLOW), name);
  } catch (error) {
    throw fileError(`cannot write ${name}`, name, error);
  }
}

function fileOf(descriptor: number, name: string): NewFile {
  const cannotWrite = (error: unknown) => fileError(`cannot write ${name}`, name, error);
  return {
    async write(piece, positionBytes) {
      const positionOf = (written: number) => (positionBytes === undefined ? null : positionBytes + written);
      try {
        const isSmall = piece.byteLength <= smallPieceBytes;
        // write(2) may take a part only, for example the last bytes of a disk that is getting full.
        for (let written = 0; written < piece.byteLength; ) {
          written += isSmall
            ? writeSync(descriptor, piece, written, piece.byteLength - written, positionOf(written))
            : (await writeInPool(descriptor, piece, written, piece.byteLength - written, positionOf(written)))
                .bytesWritten;
        }
      } catch (error) {
        throw cannotWrite(error);
      }
    },
    resize(sizeBytes) {
      try {
        ftruncateSync(descriptor, sizeBytes);
      } catch (error) {
        throw cannotWrite(error);
      }
    },
    finish(mode, modifiedAt) {
      try {
        // The umask has nothing to say here; it never takes the owner's rights.
        if ((mode & 0o077) !== 0) fchmodSync(descriptor, mode);
        futimesSync(descriptor, modifiedAt, modifiedAt);
      } catch (error) {
        throw cannotWrite(error);
      }
      return descriptor;
    },
    abandon: () => closeSync(descriptor),
  };
}

function openNew(place: string, name: string, what: string): number {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  try {
    return openSync(bytesOf(place), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    if (['EEXIST', 'EISDIR', 'ELOOP', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) {
      throw new IntegrityError(`${what} in a place that is taken`, { cause: error });
    }
    throw fileError(`cannot create ${name}`, name, error);
  }
}

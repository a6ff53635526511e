import { type BigIntStats, closeSync, fstatSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { systemErrorCode } from '../errors.ts';

/** A file of the cluster, open for reading. Disposing of it closes it. */
export interface DataFile extends Disposable {
  readonly status: BigIntStats;
  /** Fills the buffer from this position on; behind the end of a file that has become shorter there are zeros. */
  read(buffer: Uint8Array, positionBytes: number): Promise<void>;
}

const openFile = promisify(open);
const readFile = promisify(read);

/**
 * Opens a file; undefined when it has vanished. A cluster may have a hundred thousand small files, and a round trip to the thread
 * pool costs far more than the call itself: only the two calls that may wait for a disk take one, and not those on an open file's
 * status and descriptor.
 */
export async function openDataFile(place: Buffer): Promise<DataFile | undefined> {
  const descriptor = await unlessVanished(openFile(place, 'r'));
  if (descriptor === undefined) return undefined;
  return {
    status: fstatSync(descriptor, { bigint: true }),
    async read(buffer, positionBytes) {
      for (let filled = 0; filled < buffer.byteLength; ) {
        const wanted = buffer.byteLength - filled;
        const { bytesRead } = await readFile(descriptor, buffer, filled, wanted, positionBytes + filled);
        if (bytesRead === 0) {
          buffer.fill(0, filled);
          return;
        }
        filled += bytesRead;
      }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

/** PostgreSQL removes files while they are backed up; what is gone needs no copy. */
export async function unlessVanished<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

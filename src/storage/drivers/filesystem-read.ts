import { type FileHandle, open } from 'node:fs/promises';
import { NotFoundError, StoreError } from '../../errors.ts';
import { checkRange, type ExactRange, resolveRange } from '../byte-range.ts';
import type { GetOptions, StoredObject } from '../object-store.ts';
import { isAbsence, requireRoot, translateFailure } from './filesystem-failure.ts';
import type { FilePlace } from './filesystem-place.ts';

/** Large reads: objects are read from end to end, and each read costs a turn of the event loop. */
const readSizeBytes = 1024 * 1024;

/** Opens one object, see {@link ObjectStore.get}. The chunks are of a MiB, each in memory of its own. */
export async function getFile(place: FilePlace, { range, signal }: GetOptions): Promise<StoredObject> {
  if (range !== undefined) checkRange(range);
  signal?.throwIfAborted();
  const handle = await openFile(place);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw absent(place);
    const bytes = resolveRange(range, stats.size, place.path);
    const body = readChunks(handle, bytes, place, signal);
    return { key: place.key, sizeBytes: stats.size, modifiedAt: stats.mtime, body };
  } catch (error) {
    await handle.close();
    throw await readFailure(place, error);
  }
}

/** The error for a key under which there is no file. */
export function absent(place: FilePlace, cause?: unknown): NotFoundError {
  return new NotFoundError(`cannot read ${place.path}: it does not exist`, { cause });
}

async function openFile(place: FilePlace): Promise<FileHandle> {
  try {
    return await open(place.path, 'r');
  } catch (error) {
    if (!isAbsence(error)) throw await readFailure(place, error);
    await requireRoot(place.root);
    throw absent(place, error);
  }
}

async function* readChunks(
  handle: FileHandle,
  { start, end }: ExactRange,
  place: FilePlace,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for (let position = start; position < end; ) {
      signal?.throwIfAborted();
      const chunk = await readChunk(handle, position, end, place);
      position += chunk.length;
      yield chunk;
    }
  } finally {
    await handle.close();
  }
}

async function readChunk(handle: FileHandle, position: number, end: number, place: FilePlace): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(readSizeBytes, end - position));
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, position).catch(async (error: unknown) => {
    throw await readFailure(place, error);
  });
  if (bytesRead > 0) return buffer.subarray(0, bytesRead);
  throw new StoreError(`cannot read ${place.path}: it ends at byte ${position} of ${end}`, { retryable: false });
}

function readFailure(place: FilePlace, error: unknown): Promise<unknown> {
  return translateFailure(place.root, `cannot read ${place.path}`, error);
}

import { type FileHandle, open, stat } from 'node:fs/promises';
import { systemErrorCode } from '../errors.ts';
import { createFileChecksum, type FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import { bytesOf, toByteString } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';
import { createChunk } from './chunk.ts';
import { directoryMark, type FileRecords, type FoundFiles } from './file-records.ts';
import { encodeTarHeader, tarEndBytes, tarEntryOf, tarPaddingBytes } from './tar-header.ts';

/** What is packed, and where what has been seen is recorded. */
export interface PackSource {
  readonly dataDirectory: string;
  readonly files: FoundFiles;
  readonly records: FileRecords;
  readonly signal: AbortSignal;
  /** What the manifest is to list for each file; undefined for nothing. */
  readonly checksumAlgorithm: FileChecksumAlgorithm | undefined;
  /** Gives the damaged blocks of a piece, counted from the start of its file. */
  readonly checkPages: (piece: FilePiece) => Promise<readonly number[]>;
  /** Told of every piece that has been read. */
  readonly onRead: (sizeBytes: number, path: string) => void;
}

/** A piece of a file that has been read, beginning at a page's start. The bytes may be replaced by what a second reading gives. */
export interface FilePiece {
  readonly path: string;
  readonly handle: FileHandle;
  readonly positionBytes: number;
  readonly bytes: Uint8Array;
}

/** Read and compressed at a time: large enough that neither waits for the other, and each part in progress holds a few of them. */
const chunkBytes = 1024 * 1024;

/** Pieces of a file begin at a multiple of this, PostgreSQL's page size, so that no page is cut in two. */
const pageBytes = 8192;

/** Room for a header with the longest path that Linux knows, in a pax record and in a ustar name. */
const largestHeaderBytes = pageBytes;

/**
 * The tar of one part, streamed; may be called again for a second attempt. Files that have vanished since they were found are
 * left out. Each file has the size that it has when it is opened: what it gains from then on is cut off, what it loses is filled
 * with zeros; WAL replay makes both good.
 *
 * @param indexes - which of the found files
 * @throws {@link LocalFileError} or {@link PermissionError} when a file cannot be read
 */
export async function* packPart(indexes: readonly number[], source: PackSource): AsyncGenerator<Uint8Array> {
  const chunk = createChunk(chunkBytes);
  const root = toByteString(source.dataDirectory);
  for (const index of indexes) {
    source.signal.throwIfAborted();
    const path = source.files.paths[index] ?? '';
    const place = bytesOf(`${root}/${path}`);
    if (chunk.freeBytes < largestHeaderBytes) yield chunk.take();
    try {
      if (source.files.sizesBytes[index] === directoryMark) await packDirectory(index, path, place);
      else yield* packFile(index, path, place);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      throw fileError(`cannot read ${place.toString()}`, place.toString(), error);
    }
  }
  if (chunk.freeBytes < tarEndBytes) yield chunk.take();
  chunk.reserve(tarEndBytes).fill(0);
  yield chunk.take();

  async function packDirectory(index: number, path: string, place: Buffer): Promise<void> {
    const status = await unlessVanished(stat(place, { bigint: true }));
    if (status === undefined) return source.records.remove(index);
    chunk.append(encodeTarHeader(tarEntryOf(path, 'directory', status)));
    const record = { sizeBytes: 0, modifiedNs: status.mtimeNs, checksum: '', corruptBlocks: [] };
    source.records.set(index, record);
  }

  async function* packFile(index: number, path: string, place: Buffer): AsyncGenerator<Uint8Array> {
    const handle = await unlessVanished(open(place));
    if (handle === undefined) return source.records.remove(index);
    try {
      const status = await handle.stat({ bigint: true });
      const sizeBytes = Number(status.size);
      chunk.append(encodeTarHeader(tarEntryOf(path, 'file', status)));
      const checksum = source.checksumAlgorithm && createFileChecksum(source.checksumAlgorithm);
      const corruptBlocks: number[] = [];
      for (let positionBytes = 0; positionBytes < sizeBytes; ) {
        const restBytes = sizeBytes - positionBytes;
        if (chunk.freeBytes < Math.min(restBytes, pageBytes)) yield chunk.take();
        const wholePagesBytes = chunk.freeBytes - (chunk.freeBytes % pageBytes);
        const bytes = chunk.reserve(restBytes <= chunk.freeBytes ? restBytes : wholePagesBytes);
        await readFully(handle, bytes, positionBytes);
        corruptBlocks.push(...(await source.checkPages({ path, handle, positionBytes, bytes })));
        checksum?.update(bytes);
        positionBytes += bytes.byteLength;
        source.onRead(bytes.byteLength, path);
        source.signal.throwIfAborted();
      }
      const paddingBytes = tarPaddingBytes(sizeBytes);
      if (chunk.freeBytes < paddingBytes) yield chunk.take();
      chunk.reserve(paddingBytes).fill(0);
      const record = { sizeBytes, modifiedNs: status.mtimeNs, checksum: checksum?.digest() ?? '', corruptBlocks };
      source.records.set(index, record);
    } finally {
      await handle.close();
    }
  }
}

/** Fills the piece; behind the end of a file that has become shorter there are zeros. */
async function readFully(handle: FileHandle, piece: Uint8Array, positionBytes: number): Promise<void> {
  for (let filled = 0; filled < piece.byteLength; ) {
    const { bytesRead } = await handle.read(piece, filled, piece.byteLength - filled, positionBytes + filled);
    if (bytesRead === 0) {
      piece.fill(0, filled);
      return;
    }
    filled += bytesRead;
  }
}

/** PostgreSQL removes files while they are backed up; what is gone needs no copy. */
async function unlessVanished<T>(opening: Promise<T>): Promise<T | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

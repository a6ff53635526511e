import { stat } from 'node:fs/promises';
import { createFileChecksum, type FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import { pageSizeBytes } from '../postgres/page-checksum.ts';
import type { AccountNames } from '../util/account-names.ts';
import { bytesOf, toByteString } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';
import { createChunk } from './chunk.ts';
import { comparableTime } from './comparable-time.ts';
import { type DataFile, openDataFile, unlessVanished } from './data-file.ts';
import { directoryMark, type FileRecords, type FoundFiles } from './file-records.ts';
import { encodeTarHeader, tarEndBytes, tarEntryOf, tarPaddingBytes } from './tar-header.ts';

/** What is packed, and where what has been seen is recorded. */
export interface PackSource {
  readonly dataDirectory: string;
  readonly files: FoundFiles;
  readonly records: FileRecords;
  /** Whom the files belong to; undefined for numbers alone. */
  readonly accounts?: AccountNames | undefined;
  /** Whether whoever reads the tar is done with a block when he asks for the next one: then two blocks do for the whole part. */
  readonly reuseBlocks: boolean;
  readonly signal: AbortSignal;
  /** What the manifest is to list for each file; undefined for nothing. */
  readonly checksumAlgorithm: FileChecksumAlgorithm | undefined;
  /** Gives the damaged blocks of a piece, counted from the start of its file. */
  readonly checkPages: (piece: FilePiece) => Promise<readonly number[]>;
  /** Told of every piece that has been read. */
  readonly onRead: (sizeBytes: number, path: string) => void;
}

/** A piece of a file that has been read, beginning at a page's start: no page is cut in two. The bytes may be replaced by what a second reading gives. */
export interface FilePiece {
  readonly path: string;
  readonly file: DataFile;
  readonly positionBytes: number;
  readonly bytes: Uint8Array;
}

/** Read and compressed at a time. */
const blockBytes = 1024 * 1024;

/** Room for a whole page, and for a header with the longest path that Linux knows in a pax record. */
const spareBytes = pageSizeBytes;

/**
 * The tar of one part, streamed; may be called again for a second attempt. Files that have vanished since they were found are
 * left out. Each file has the size that it has when it is opened: what it gains from then on is cut off, what it loses is filled
 * with zeros; WAL replay makes both good.
 *
 * @param indexes - which of the found files
 * @throws {@link LocalFileError} or {@link PermissionError} when a file cannot be read
 */
export async function* packPart(indexes: readonly number[], source: PackSource): AsyncGenerator<Uint8Array> {
  const chunk = createChunk({ blockBytes, spareBytes, reuse: source.reuseBlocks });
  const root = toByteString(source.dataDirectory);
  for (const index of indexes) {
    source.signal.throwIfAborted();
    const path = source.files.paths[index] ?? '';
    const place = bytesOf(`${root}/${path}`);
    try {
      if (source.files.sizesBytes[index] === directoryMark) await packDirectory(index, path, place);
      else yield* packFile(index, path, place);
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      throw fileError(`cannot read ${place.toString()}`, place.toString(), error);
    }
    if (chunk.isFull) yield chunk.take();
  }
  chunk.reserve(tarEndBytes).fill(0);
  if (chunk.isFull) yield chunk.take();
  yield chunk.end();

  async function packDirectory(index: number, path: string, place: Buffer): Promise<void> {
    const status = await unlessVanished(stat(place, { bigint: true }));
    if (status === undefined) return source.records.remove(index);
    append(encodeTarHeader(tarEntryOf(path, 'directory', status, source.accounts)));
    const record = { sizeBytes: 0, modifiedNs: status.mtimeNs, checksum: '', corruptBlocks: [] };
    source.records.set(index, record);
  }

  async function* packFile(index: number, path: string, place: Buffer): AsyncGenerator<Uint8Array> {
    using file = await openDataFile(place);
    if (file === undefined) return source.records.remove(index);
    const modifiedNs = comparableTime(file.status.mtimeNs, Date.now());
    const sizeBytes = Number(file.status.size);
    append(encodeTarHeader(tarEntryOf(path, 'file', file.status, source.accounts)));
    const checksum = source.checksumAlgorithm && createFileChecksum(source.checksumAlgorithm);
    const corruptBlocks: number[] = [];
    for (let positionBytes = 0; positionBytes < sizeBytes; ) {
      if (chunk.isFull) yield chunk.take();
      const wholePagesBytes = chunk.freeBytes - (chunk.freeBytes % pageSizeBytes);
      const bytes = chunk.reserve(Math.min(sizeBytes - positionBytes, wholePagesBytes));
      await file.read(bytes, positionBytes);
      corruptBlocks.push(...(await source.checkPages({ path, file, positionBytes, bytes })));
      checksum?.update(bytes);
      positionBytes += bytes.byteLength;
      source.onRead(bytes.byteLength, path);
      source.signal.throwIfAborted();
    }
    if (chunk.isFull) yield chunk.take();
    chunk.reserve(tarPaddingBytes(sizeBytes)).fill(0);
    source.records.set(index, { sizeBytes, modifiedNs, checksum: checksum?.digest() ?? '', corruptBlocks });
  }

  function append(bytes: Uint8Array): void {
    chunk.reserve(bytes.byteLength).set(bytes);
  }
}

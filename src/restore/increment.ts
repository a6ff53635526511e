import { IntegrityError } from '../errors.ts';
import { pageSizeBytes } from '../postgres/page-checksum.ts';
import { blocksPerRelationFile } from '../postgres/relation-file.ts';
import { createByteReader } from '../util/byte-reader.ts';
import type { TarEntry } from './tar-entries.ts';

/** The pages of a file that changed since the parent of a backup. */
export interface Increment {
  /** Blocks that the file had at the time of the backup. */
  readonly blockCount: number;
  /** Numbers of the blocks whose pages follow, in their order, each once and all within the file. */
  readonly blocks: Uint32Array;
  readonly pages: AsyncIterable<Uint8Array>;
}

/** `wi1` and a byte of its own: WAL-G's first increment format. */
const magic = Buffer.from('wi1\x55', 'latin1');
const headerSizeBytes = 16;
const numberSizeBytes = 4;

/**
 * Reads the beginning of an increment as WAL-G stores it in the place of a file: magic, size of the file (64 bits), number of blocks (32 bits),
 * the blocks' numbers, their pages; all little-endian.
 *
 * @param what - begins the message, names part and file
 * @throws {@link IntegrityError} when it is none, contradicts itself, or its size is not the one that its header demands
 */
export async function readIncrement({ sizeBytes, body }: TarEntry, what: string): Promise<Increment> {
  const reader = createByteReader(body);
  const header = Buffer.from(await reader.read(headerSizeBytes));
  if (header.length < headerSizeBytes || !header.subarray(0, magic.length).equals(magic)) {
    throw new IntegrityError(`${what}, which should be an increment, but does not begin as one`);
  }
  const fileSizeBytes = header.readBigUInt64LE(4);
  const pageCount = header.readUInt32LE(12);
  const blockCount = Number(fileSizeBytes / BigInt(pageSizeBytes));
  if (fileSizeBytes % BigInt(pageSizeBytes) !== 0n || blockCount > blocksPerRelationFile) {
    throw new IntegrityError(`${what}, an increment of a file of ${fileSizeBytes} bytes, which no relation's file has`);
  }
  const demandedBytes = headerSizeBytes + pageCount * (numberSizeBytes + pageSizeBytes);
  if (sizeBytes !== demandedBytes) {
    throw new IntegrityError(
      `${what}, an increment of ${pageCount} pages, with ${sizeBytes} bytes instead of ${demandedBytes}`,
    );
  }
  const numbers = await reader.read(pageCount * numberSizeBytes);
  const blocks = parseNumbers(numbers);
  if (!areDistinct(blocks)) throw new IntegrityError(`${what}, an increment that has a block twice`);
  const outside = blocks.find((block) => block >= blockCount);
  if (outside !== undefined) {
    throw new IntegrityError(`${what}, an increment with block ${outside} of a file that has ${blockCount}`);
  }
  return { blockCount, blocks, pages: reader.rest() };
}

function parseNumbers(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.byteLength / numberSizeBytes }, (_, index) =>
    view.getUint32(index * numberSizeBytes, true),
  );
}

function areDistinct(blocks: Uint32Array): boolean {
  const isAscending = blocks.every((block, index) => index === 0 || block > (blocks[index - 1] ?? 0));
  return isAscending || new Set(blocks).size === blocks.length;
}

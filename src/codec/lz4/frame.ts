import { IntegrityError } from '../../errors.ts';
import type { Lz4Library } from './library.ts';

/** What the header of a frame says about it. */
export interface Lz4Frame {
  /** Whether each block can be read without the ones before. */
  readonly hasIndependentBlocks: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  /** Of the plain bytes of the whole frame; undefined when the header does not tell. */
  readonly contentSizeBytes: bigint | undefined;
  /** No block has more plain bytes: 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
  readonly maximumBlockSizeBytes: number;
}

export const lz4FrameMagic = 0x184d_2204;

/** Frames that hold no content: 16 magic numbers, the last four bits of which are free. */
export function isSkippableMagic(magic: number): boolean {
  return (magic & 0xffff_fff0) === 0x184d_2a50;
}

/** Bits of FLG, the first byte of the descriptor. */
const flags = {
  version: 0b1100_0000,
  version1: 0b0100_0000,
  independentBlocks: 0b10_0000,
  blockChecksums: 0b1_0000,
  contentSize: 0b1000,
  contentChecksum: 0b100,
  reserved: 0b10,
  dictionary: 0b1,
};

/** Bytes of the two that every descriptor has: FLG and BD. */
export const shortestDescriptorBytes = 2;

/** Bytes of the descriptor that begins with this FLG, its checksum not counted. */
export function descriptorSizeBytes(flg: number): number {
  return shortestDescriptorBytes + ((flg & flags.contentSize) === 0 ? 0 : 8) + ((flg & flags.dictionary) === 0 ? 0 : 4);
}

/**
 * Reads a frame descriptor, without the magic number before it.
 *
 * @param checksum - the byte that follows the descriptor
 * @throws {@link IntegrityError} when it is damaged, or made for a dictionary that only its writer has
 * @see LZ4 Frame Format Description 1.6.3, "Frame Descriptor"
 */
export function parseDescriptor(bytes: Uint8Array, checksum: number, lz4: Lz4Library): Lz4Frame {
  if (checksum !== descriptorChecksum(bytes, lz4)) throw new IntegrityError('lz4 frame header is damaged');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const flg = view.readUInt8(0);
  const blockDescriptor = view.readUInt8(1);
  const sizeCode = (blockDescriptor >>> 4) & 0b111;
  const isKnown = (flg & flags.version) === flags.version1 && (flg & flags.reserved) === 0;
  if (!isKnown || (blockDescriptor & 0b1000_1111) !== 0 || sizeCode < 4) {
    throw new IntegrityError('lz4 frame has a header of an unknown version');
  }
  if ((flg & flags.dictionary) !== 0) {
    throw new IntegrityError('lz4 frame cannot be read without the dictionary that it was written with');
  }
  return {
    hasIndependentBlocks: (flg & flags.independentBlocks) !== 0,
    hasBlockChecksums: (flg & flags.blockChecksums) !== 0,
    hasContentChecksum: (flg & flags.contentChecksum) !== 0,
    contentSizeBytes: (flg & flags.contentSize) === 0 ? undefined : view.readBigUInt64LE(shortestDescriptorBytes),
    maximumBlockSizeBytes: 2 ** (8 + 2 * sizeCode),
  };
}

/** Plain bytes per block of the frames that we write. The header allows 4 MiB; with half of it, blocks pass through the caches of the processor. */
export const writtenBlockSizeBytes: number = 2 * 1024 * 1024;

/** The header that WAL-G writes, magic number included: independent blocks of up to 4 MiB and a content checksum. */
export function formatFrameHeader(lz4: Lz4Library): Uint8Array {
  const descriptor = Uint8Array.of(flags.version1 | flags.independentBlocks | flags.contentChecksum, 7 << 4);
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(lz4FrameMagic);
  return Buffer.concat([magic, descriptor, Uint8Array.of(descriptorChecksum(descriptor, lz4))]);
}

/** The second byte of the checksum. */
function descriptorChecksum(descriptor: Uint8Array, lz4: Lz4Library): number {
  return (lz4.checksum(descriptor) >>> 8) & 0xff;
}

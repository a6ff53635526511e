import { IntegrityError } from '../../errors.ts';

/** What the header of a `.lzma` file says. */
export interface LzmaHeader {
  /** High bits of the byte before that choose the probabilities of a literal (lc), 0 to 8. */
  readonly literalContextBits: number;
  /** Low bits of the position that do the same (lp), 0 to 4. */
  readonly literalPositionBits: number;
  /** Low bits of the position that choose the probabilities of everything else (pb), 0 to 4. */
  readonly positionBits: number;
  /** No match reaches farther back. */
  readonly dictionaryBytes: number;
  /** Of the plain bytes; undefined when an end mark closes the data instead. */
  readonly plainSizeBytes: bigint | undefined;
}

export const lzmaHeaderBytes = 13;

/** What the decoder allocates on the word of the header has a limit. `xz -9` writes with 64 MiB, WAL-G with 8 MiB. */
const largestDictionaryBytes = 64 * 1024 * 1024;

const unknownSize = 0xffff_ffff_ffff_ffffn;

/** What we write, as WAL-G does. */
export const writtenHeader: LzmaHeader = {
  literalContextBits: 3,
  literalPositionBits: 0,
  positionBits: 2,
  dictionaryBytes: 8 * 1024 * 1024,
  plainSizeBytes: undefined,
};

/**
 * Shape: one byte `(pb * 5 + lp) * 9 + lc`, the size of the dictionary in 32 and that of the plain bytes in 64 little-endian bits, the
 * latter all ones when it is unknown.
 *
 * @see doc/lzma-file-format.txt of XZ Utils
 */
export function formatLzmaHeader(header: LzmaHeader): Uint8Array {
  const bytes = Buffer.alloc(lzmaHeaderBytes);
  bytes.writeUInt8((header.positionBits * 5 + header.literalPositionBits) * 9 + header.literalContextBits);
  bytes.writeUInt32LE(header.dictionaryBytes, 1);
  bytes.writeBigUInt64LE(header.plainSizeBytes ?? unknownSize, 5);
  return bytes;
}

/** @throws {@link IntegrityError} when it is no such header, or asks for more than 64 MiB of memory */
export function parseLzmaHeader(bytes: Uint8Array): LzmaHeader {
  if (bytes.length < lzmaHeaderBytes) throw new IntegrityError('lzma data is truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, lzmaHeaderBytes);
  const properties = view.getUint8(0);
  if (properties >= 9 * 5 * 5) throw new IntegrityError('lzma data has no lzma header');
  const dictionaryBytes = view.getUint32(1, true);
  if (dictionaryBytes > largestDictionaryBytes) {
    throw new IntegrityError(`lzma data asks for a dictionary of ${dictionaryBytes} bytes, more than 64 MiB`);
  }
  const size = view.getBigUint64(5, true);
  return {
    literalContextBits: properties % 9,
    literalPositionBits: Math.floor(properties / 9) % 5,
    positionBits: Math.floor(properties / 45),
    dictionaryBytes,
    plainSizeBytes: size === unknownSize ? undefined : size,
  };
}

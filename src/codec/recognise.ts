import { brotliDecompressSync, constants } from 'node:zlib';
import { systemErrorCode } from '../errors.ts';

/** How many of an object's first bytes tell what can be told of it. */
export const beginningSizeBytes = 4096;

/** How the ciphers that leave a mark are called in messages; libsodium leaves none. */
export type RecognisedCipher = 'openpgp' | 'aws-kms' | 'yandex-kms' | 'envelope-pgp';

/**
 * Whether an object that begins like this is what its suffix says, and not encrypted. Of random bytes, one in twenty thousand passes
 * under brotli, one in a million without compression, and one in four thousand million under zstd and lz4.
 *
 * @param suffix - of the key; '' for what is not compressed
 */
export function looksPlain(suffix: string, beginning: Uint8Array): boolean {
  return plainTests[suffix]?.(Buffer.from(beginning)) ?? false;
}

/** The cipher that an object which begins like this seems to be encrypted with; undefined when it bears the mark of none. */
export function recogniseCipher(beginning: Uint8Array): RecognisedCipher | undefined {
  const bytes = Buffer.from(beginning);
  if (isOpenpgp(bytes)) return 'openpgp';
  if (isAwsKms(bytes)) return 'aws-kms';
  if (startsWith(bytes, 'yckms\x01')) return 'yandex-kms';
  if (startsWith(bytes, 'envelope-yc-kms\x01')) return 'envelope-pgp';
  return undefined;
}

const plainTests: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  zst: (bytes) => startsWith(bytes, '\x28\xb5\x2f\xfd') || isSkippableFrame(bytes),
  lz4: (bytes) => startsWith(bytes, '\x04\x22\x4d\x18') || isSkippableFrame(bytes),
  gz: (bytes) => startsWith(bytes, '\x1f\x8b'),
  lzma: isLzma,
  br: isBrotli,
  '': isContent,
};

function startsWith(bytes: Buffer, latin1: string): boolean {
  return bytes.subarray(0, latin1.length).equals(Buffer.from(latin1, 'latin1'));
}

/** zstd and lz4 share this kind of frame. @see RFC 8878, section 3.1.2 */
function isSkippableFrame(bytes: Buffer): boolean {
  return bytes.length >= 4 && (bytes.readUInt32LE() & 0xfffffff0) >>> 0 === 0x184d2a50;
}

/** Five bytes of properties, then the size: unknown, which is all ones, or below 2^40. */
function isLzma(bytes: Buffer): boolean {
  if (bytes.length < 13 || bytes.readUInt8() >= 9 * 5 * 5) return false;
  const size = bytes.readBigUInt64LE(5);
  return size === 0xffff_ffff_ffff_ffffn || size < 1n << 40n;
}

/** No encoder takes more for an empty object. */
const emptyBrotliSizeBytes = 8;

/** brotli has no mark, and one in ten random texts is a stream; so what it holds has to be something that we store. */
function isBrotli(bytes: Buffer): boolean {
  try {
    const options = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: 1024 * 1024 };
    const content = brotliDecompressSync(bytes, options);
    return content.length === 0 ? bytes.length <= emptyBrotliSizeBytes : isContent(content);
  } catch (error) {
    return systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE';
  }
}

/** What a repository holds: WAL, tars and short texts. */
function isContent(bytes: Buffer): boolean {
  return isWalSegment(bytes) || isTar(bytes) || isText(bytes);
}

/**
 * As each segment begins: a page magic of any version up to now, on a little-endian machine, and flags with that of a long header, of which
 * there are four.
 *
 * @see postgres src/include/access/xlog_internal.h, XLogPageHeaderData
 */
function isWalSegment(bytes: Buffer): boolean {
  const hasMagic = bytes[1] === 0xd0 || bytes[1] === 0xd1;
  const flags = bytes.length < 4 ? 0 : bytes.readUInt16LE(2);
  return hasMagic && flags < 16 && (flags & 2) !== 0;
}

/** @see POSIX, ustar interchange format */
function isTar(bytes: Buffer): boolean {
  return bytes.subarray(257, 262).toString('latin1') === 'ustar';
}

/** Timeline histories, backup histories and JSON. */
function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte !== 0x7f));
}

/** A packet of version 3 that holds a session key, with either form of header. @see RFC 9580, sections 4.2 and 5.1 */
function isOpenpgp(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  if (first === 0xc1) return second < 192 ? third === 3 : second < 200 && fourth === 3;
  if (first === 0x84) return third === 3;
  return first === 0x85 && second < 8 && fourth === 3;
}

/** What KMS makes of a data key begins so, and a DARE package comes behind it. */
function isAwsKms(bytes: Buffer): boolean {
  return startsWith(bytes, '\x01\x02') && bytes[184] === 0x20 && (bytes[185] === 0 || bytes[185] === 1);
}

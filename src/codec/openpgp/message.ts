import { createDecipheriv, createHash } from 'node:crypto';
import { createInflate, createInflateRaw } from 'node:zlib';
import { IntegrityError } from '../../errors.ts';
import { createByteReader } from '../../util/byte-reader.ts';
import { zlibDecode } from '../zlib-decode.ts';
import { packetTags, readPackets } from './packets.ts';

/** The key of one message, as the library gives it. */
export interface SessionKey {
  readonly data: Uint8Array;
  /** `aes256` and the like. */
  readonly algorithm: string | null;
}

const blockSizeBytes = 16;

/** A random block, of which the last two bytes are repeated, precedes what is encrypted. */
const prefixSizeBytes: number = blockSizeBytes + 2;

/** At the end: a packet header of two bytes, and the SHA-1 of all before, that header included. */
const detectionCodeHeader = Buffer.from([0xd3, 0x14]);
const detectionCodeBytes: number = detectionCodeHeader.length + 20;

/**
 * Decrypts the body of a packet of encrypted and integrity-protected data, version 1. The modification detection code at the end is
 * checked when all else has been handed out.
 *
 * @throws {@link IntegrityError} when it is damaged or truncated, or of another version
 * @see RFC 9580, section 5.13.1
 */
export async function* decryptProtected(
  body: AsyncIterable<Uint8Array>,
  { data, algorithm }: SessionKey,
): AsyncGenerator<Uint8Array> {
  const bits = /^aes(128|192|256)$/.exec(algorithm ?? '')?.[1];
  if (bits === undefined) throw new IntegrityError(`OpenPGP data is encrypted with ${algorithm}, which cannot be read`);
  await using reader = createByteReader(body);
  const [version] = await reader.read(1);
  if (version !== 1) throw new IntegrityError(`OpenPGP data is encrypted in version ${version}, which cannot be read`);

  const decipher = createDecipheriv(`aes-${bits}-cfb`, data, Buffer.alloc(blockSizeBytes));
  const hash = createHash('sha1');
  let held = Buffer.alloc(0);
  let prefixBytes = prefixSizeBytes;
  for await (const stored of reader.rest()) {
    const plain = Buffer.concat([held, decipher.update(stored)]);
    const bytes = plain.subarray(0, Math.max(plain.length - detectionCodeBytes, 0));
    held = plain.subarray(bytes.length);
    hash.update(bytes);
    if (bytes.length > prefixBytes) yield bytes.subarray(prefixBytes);
    prefixBytes = Math.max(prefixBytes - bytes.length, 0);
  }
  const code = Buffer.concat([detectionCodeHeader, hash.update(detectionCodeHeader).digest()]);
  if (!held.equals(code)) throw new IntegrityError('OpenPGP data is damaged or truncated');
}

/**
 * The content of the literal packet in a decrypted message, which may be compressed once. Whatever its format octet says, the bytes are
 * taken as they are. Signatures around it are passed over.
 */
export async function* literalContent(source: AsyncIterable<Uint8Array>, depth = 0): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(source);
  let hasContent = false;
  for await (const { tag, body } of readPackets(reader)) {
    if (tag === packetTags.literal && !hasContent) {
      yield* withoutLiteralHeader(body);
      hasContent = true;
    } else if (tag === packetTags.compressed && !hasContent && depth === 0) {
      yield* literalContent(decompress(body), depth + 1);
      hasContent = true;
    } else if (besides.includes(tag)) {
      for await (const _ of body);
    } else {
      throw new IntegrityError('OpenPGP data is damaged');
    }
  }
  if (!hasContent) throw new IntegrityError('OpenPGP data has no content');
}

const besides: readonly number[] = [
  packetTags.signature,
  packetTags.onePassSignature,
  packetTags.marker,
  packetTags.padding,
];

/** Ahead of the content: a format octet, the length of a name, the name, and four bytes of time. */
async function* withoutLiteralHeader(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(body);
  const [, nameBytes] = await reader.read(2);
  const restBytes = (nameBytes ?? 0) + 4;
  if (nameBytes === undefined || (await reader.skip(restBytes)) < restBytes) {
    throw new IntegrityError('OpenPGP data is damaged');
  }
  yield* reader.rest();
}

/** Of the algorithms, 1 is ZIP, a raw deflate stream, and 2 is ZLIB. */
async function* decompress(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(body);
  const [algorithm] = await reader.read(1);
  if (algorithm === 1) yield* zlibDecode('OpenPGP', reader.rest(), () => createInflateRaw());
  else if (algorithm === 2) yield* zlibDecode('OpenPGP', reader.rest(), () => createInflate());
  else throw new IntegrityError(`OpenPGP data is compressed by algorithm ${algorithm}, which cannot be read`);
}

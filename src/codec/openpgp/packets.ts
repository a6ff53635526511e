import { IntegrityError } from '../../errors.ts';
import type { ByteReader } from '../../util/byte-reader.ts';

/** The kinds of packets that we meet, by their tags. */
export const packetTags = {
  sessionKey: 1,
  signature: 2,
  passwordSessionKey: 3,
  onePassSignature: 4,
  compressed: 8,
  unprotected: 9,
  marker: 10,
  literal: 11,
  protected: 18,
  padding: 21,
};

/** One packet. Its body has to be read to the end before the next packet is asked for. */
export interface Packet {
  readonly tag: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** A length that is followed by another one, one that ends the body, or a body that ends with the stream. */
type Length = { readonly sizeBytes: number; readonly isPartial: boolean };

/**
 * The packets of an OpenPGP stream, one after another.
 *
 * @throws {@link IntegrityError} when what follows is no packet, or the stream is cut off within one
 * @see RFC 9580, section 4.2
 */
export async function* readPackets(reader: ByteReader): AsyncGenerator<Packet, void, undefined> {
  for (;;) {
    const [header] = await reader.read(1);
    if (header === undefined) return;
    if ((header & 0b1000_0000) === 0) throw new IntegrityError('OpenPGP data is damaged, or not in this format');
    const isCurrentFormat = (header & 0b100_0000) !== 0;
    if (isCurrentFormat) yield { tag: header & 0b11_1111, body: readBody(reader, () => readLength(reader)) };
    else yield { tag: (header >>> 2) & 0b1111, body: readBody(reader, () => readOldLength(reader, header & 0b11)) };
  }
}

async function* readBody(reader: ByteReader, nextLength: () => Promise<Length>): AsyncGenerator<Uint8Array> {
  for (let isLast = false; !isLast; ) {
    const { sizeBytes, isPartial } = await nextLength();
    isLast = !isPartial;
    for (let restBytes = sizeBytes; restBytes > 0; ) {
      const piece = await reader.readSome(restBytes);
      if (piece === undefined && sizeBytes === Number.POSITIVE_INFINITY) return;
      if (piece === undefined) throw truncated();
      restBytes -= piece.length;
      yield piece;
    }
  }
}

async function readLength(reader: ByteReader): Promise<Length> {
  const first = await readNumber(reader, 1);
  if (first < 192) return { sizeBytes: first, isPartial: false };
  if (first < 224) return { sizeBytes: ((first - 192) << 8) + (await readNumber(reader, 1)) + 192, isPartial: false };
  if (first === 255) return { sizeBytes: await readNumber(reader, 4), isPartial: false };
  return { sizeBytes: 2 ** (first & 0b1_1111), isPartial: true };
}

async function readOldLength(reader: ByteReader, type: number): Promise<Length> {
  const sizeBytes = type === 3 ? Number.POSITIVE_INFINITY : await readNumber(reader, 2 ** type);
  return { sizeBytes, isPartial: false };
}

async function readNumber(reader: ByteReader, sizeBytes: number): Promise<number> {
  const bytes = await reader.read(sizeBytes);
  if (bytes.length < sizeBytes) throw truncated();
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

function truncated(): IntegrityError {
  return new IntegrityError('OpenPGP data is truncated');
}

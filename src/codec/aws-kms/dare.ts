import { randomBytes } from 'node:crypto';
import { IntegrityError } from '../../errors.ts';
import { type ByteReader, createByteReader } from '../../util/byte-reader.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import {
  type DareHeader,
  dareVersions,
  finalFlag,
  headerSizeBytes,
  openPackage,
  parseDareHeader,
  payloadSizeBytes,
  sealPackage,
  tagSizeBytes,
} from './dare-package.ts';

/**
 * Encrypts with AES-256-GCM in the format DARE 2.0 of minio/sio: packages of 64 KiB, numbered by their nonces, of which the last
 * carries a flag. Without any bytes there is no package.
 *
 * @param key - 32 bytes
 * @see minio/sio, DARE-1.1.md and dare.go, which define the format
 */
export async function* encryptDare(source: AsyncIterable<Uint8Array>, key: Buffer): AsyncGenerator<Uint8Array> {
  const nonce = randomBytes(12);
  let held: Uint8Array | undefined;
  let number = 0;
  for await (const block of inBlocks(source, payloadSizeBytes)) {
    if (held !== undefined) {
      yield sealPackage(key, nonce, number, held, false);
      number += 1;
    }
    held = block;
  }
  if (held !== undefined) yield sealPackage(key, nonce, number, held, true);
}

/**
 * Restores what was encrypted as DARE 2.0 or 1.0, with AES-256-GCM or ChaCha20-Poly1305. Version 1.0 has no flag on its last package:
 * a stream cut off between two packages is a valid, shorter one there, as is one without any package in both versions.
 *
 * @param key - 32 bytes
 * @throws {@link IntegrityError} when a package is damaged, out of place or missing, or something follows the last
 */
export async function* decryptDare(source: AsyncIterable<Uint8Array>, key: Buffer): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(source);
  let first: DareHeader | undefined;
  let isFinished = true;
  for (let number = 0; ; number += 1) {
    const header = await readHeader(reader);
    if (header === undefined) break;
    if (first !== undefined && isFinished && first.version === dareVersions.two) {
      throw new IntegrityError('DARE data is followed by something else');
    }
    first ??= header;
    checkPlace(header, first, number);
    const sealed = await reader.read(header.payloadSizeBytes + tagSizeBytes);
    if (sealed.length < header.payloadSizeBytes + tagSizeBytes) throw truncated();
    isFinished = header.version === dareVersions.one || header.isFinal;
    yield openPackage(key, header, number, sealed);
  }
  if (!isFinished) throw truncated();
}

async function readHeader(reader: ByteReader): Promise<DareHeader | undefined> {
  const bytes = await reader.read(headerSizeBytes);
  if (bytes.length === 0) return undefined;
  if (bytes.length < headerSizeBytes) throw truncated();
  return parseDareHeader(bytes);
}

/** Whether a package belongs to the stream that the first one began, at this place. */
function checkPlace(header: DareHeader, first: DareHeader, number: number): void {
  if (header.version !== first.version) throw misplaced(number);
  if (header.version === dareVersions.one) {
    if (header.nonce.readUInt32LE(0) !== number) throw misplaced(number);
    return;
  }
  if (header.suite !== first.suite) throw misplaced(number);
  if (!header.isFinal && header.payloadSizeBytes !== payloadSizeBytes) throw misplaced(number);
  const [flags = 0] = header.nonce;
  const [firstFlags = 0] = first.nonce;
  const isSameStream =
    ((flags ^ firstFlags) & ~finalFlag) === 0 && header.nonce.subarray(1).equals(first.nonce.subarray(1));
  if (!isSameStream) throw misplaced(number);
}

function misplaced(number: number): IntegrityError {
  return new IntegrityError(`DARE package ${number} does not belong where it stands`);
}

function truncated(): IntegrityError {
  return new IntegrityError('DARE data is truncated');
}

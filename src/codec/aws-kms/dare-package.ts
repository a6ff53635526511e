import { createCipheriv, createDecipheriv } from 'node:crypto';
import { IntegrityError } from '../../errors.ts';

/** Plain bytes of every package but the last of a stream. */
export const payloadSizeBytes: number = 64 * 1024;
export const headerSizeBytes = 16;
export const tagSizeBytes = 16;

/** In the first byte of the nonce of the last package. */
export const finalFlag = 0x80;

/** The first byte of a header. */
export const dareVersions = { one: 0x10, two: 0x20 };

/** The second byte of a header. */
const suites = ['aes-256-gcm', 'chacha20-poly1305'] as const;

/** The part of the header that is authenticated besides the payload. */
const authenticatedBytes = 4;

/** Shape: version, suite, payload size less one in 16 little-endian bits, and 12 bytes of nonce. */
export interface DareHeader {
  readonly version: number;
  readonly suite: (typeof suites)[number];
  readonly payloadSizeBytes: number;
  /** In version 1.0 it begins with the number of the package in 32 little-endian bits. */
  readonly nonce: Buffer;
  /** Of version 2.0 only. */
  readonly isFinal: boolean;
  readonly authenticated: Buffer;
}

/** @throws {@link IntegrityError} when version or suite do not exist */
export function parseDareHeader(bytes: Uint8Array): DareHeader {
  const header = Buffer.from(bytes);
  const version = header.readUInt8(0);
  const suite = suites[header.readUInt8(1)];
  if (!Object.values(dareVersions).includes(version) || suite === undefined) {
    throw new IntegrityError('DARE data is damaged, or not encrypted in this way');
  }
  const nonce = header.subarray(authenticatedBytes);
  return {
    version,
    suite,
    payloadSizeBytes: header.readUInt16LE(2) + 1,
    nonce,
    isFinal: version === dareVersions.two && (nonce.readUInt8(0) & finalFlag) !== 0,
    authenticated: header.subarray(0, authenticatedBytes),
  };
}

/** A package of version 2.0 with its header and its tag. */
export function sealPackage(key: Buffer, nonce: Buffer, number: number, plain: Uint8Array, isFinal: boolean): Buffer {
  const header = Buffer.alloc(headerSizeBytes);
  header.writeUInt8(dareVersions.two);
  header.writeUInt8(suites.indexOf('aes-256-gcm'), 1);
  header.writeUInt16LE(plain.length - 1, 2);
  nonce.copy(header, authenticatedBytes);
  const flags = nonce.readUInt8(0) & ~finalFlag;
  header.writeUInt8(isFinal ? flags | finalFlag : flags, authenticatedBytes);

  const cipher = createCipheriv('aes-256-gcm', key, numbered(header.subarray(authenticatedBytes), number));
  cipher.setAAD(header.subarray(0, authenticatedBytes));
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The plain bytes of a package.
 *
 * @param sealed - the payload and the tag
 * @throws {@link IntegrityError} when they do not authenticate
 */
export function openPackage(key: Buffer, header: DareHeader, number: number, sealed: Uint8Array): Buffer {
  const nonce = header.version === dareVersions.two ? numbered(header.nonce, number) : header.nonce;
  // The suites share this signature, which Node's types give only for each of them.
  const decipher = createDecipheriv(header.suite as 'aes-256-gcm', key, nonce, { authTagLength: tagSizeBytes });
  decipher.setAAD(header.authenticated);
  decipher.setAuthTag(sealed.subarray(-tagSizeBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagSizeBytes)), decipher.final()]);
  } catch (error) {
    throw new IntegrityError(`DARE package ${number} is damaged`, { cause: error });
  }
}

/** The nonce of a package: its number is folded into the last four bytes of the stream's. */
function numbered(nonce: Buffer, number: number): Buffer {
  const own = Buffer.from(nonce);
  own.writeUInt32LE((own.readUInt32LE(8) ^ number) >>> 0, 8);
  return own;
}

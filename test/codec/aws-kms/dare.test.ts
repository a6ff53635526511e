import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decryptDare, encryptDare } from '../../../src/codec/aws-kms/dare.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;
const packageBytes = 16 + 65_536 + 16;
const key = randomBytes(32);

const encrypted = (bytes: Uint8Array): Promise<Buffer> => joined(encryptDare(inChunks(bytes, 50_000), key));
const decrypted = (bytes: Uint8Array, by = key): Promise<Buffer> => joined(decryptDare(inChunks(bytes, 50_000), by));

type Suite = 'aes-256-gcm' | 'chacha20-poly1305';
const suites: readonly Suite[] = ['aes-256-gcm', 'chacha20-poly1305'];

/** A package as the specification puts it together: header, payload, tag. */
function seal(suite: Suite, header: Buffer, nonce: Buffer, plain: Uint8Array, by = key): Buffer {
  const cipher = createCipheriv(suite as 'aes-256-gcm', by, nonce, { authTagLength: 16 });
  cipher.setAAD(header.subarray(0, 4));
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** A package of version 2.0. */
function packageTwo(
  suite: Suite,
  number: number,
  plain: Uint8Array,
  isFinal: boolean,
  stream = Buffer.alloc(12, 7),
): Buffer {
  const header = Buffer.concat([Buffer.from([0x20, suites.indexOf(suite), 0, 0]), stream]);
  header.writeUInt16LE(plain.length - 1, 2);
  header[4] = isFinal ? (stream[0] ?? 0) | 0x80 : (stream[0] ?? 0) & 0x7f;
  const nonce = Buffer.from(header.subarray(4));
  nonce.writeUInt32LE((nonce.readUInt32LE(8) ^ number) >>> 0, 8);
  return seal(suite, header, nonce, plain);
}

/** A package of version 1.0. */
function packageOne(suite: Suite, number: number, plain: Uint8Array): Buffer {
  const header = Buffer.concat([Buffer.from([0x10, suites.indexOf(suite), 0, 0]), Buffer.alloc(4), Buffer.alloc(8, 7)]);
  header.writeUInt16LE(plain.length - 1, 2);
  header.writeUInt32LE(number, 4);
  return seal(suite, header, header.subarray(4), plain);
}

describe('DARE', () => {
  itIsReversible(
    { write: (source) => encryptDare(source, key), read: (source) => decryptDare(source, key) },
    { noticesEveryChange: true, readAheadBytes: 2 * mebibyte, largestChunkBytes: mebibyte, sizeOfNothingBytes: 0 },
  );

  it('writes packages of 64 KiB, of which only the last has the flag and may be shorter', async () => {
    for (const sizeBytes of [1, 65_535, 65_536, 65_537, 131_072]) {
      const stored = await encrypted(walLikeBytes(sizeBytes));
      const packages = Math.ceil(sizeBytes / 65_536);
      expect(stored.length).toBe(sizeBytes + packages * 32);
      const flags = Array.from({ length: packages }, (_, index) => (stored[index * packageBytes + 4] ?? 0) >>> 7);
      expect(flags).toEqual([...Array<number>(packages - 1).fill(0), 1]);
    }
  });

  it.for(suites)('reads version 2.0 with %s as the specification puts it together', async (suite) => {
    const bytes = walLikeBytes(2 * 65_536 + 100);
    const stored = Buffer.concat([
      packageTwo(suite, 0, bytes.subarray(0, 65_536), false),
      packageTwo(suite, 1, bytes.subarray(65_536, 131_072), false),
      packageTwo(suite, 2, bytes.subarray(131_072), true),
    ]);
    expect((await decrypted(stored)).equals(bytes)).toBe(true);
  });

  it.for(suites)('reads version 1.0 with %s, where packages may be of any size', async (suite) => {
    const bytes = walLikeBytes(70_000);
    const stored = Buffer.concat([
      packageOne(suite, 0, bytes.subarray(0, 10)),
      packageOne(suite, 1, bytes.subarray(10, 65_546)),
      packageOne(suite, 2, bytes.subarray(65_546)),
    ]);
    expect((await decrypted(stored)).equals(bytes)).toBe(true);
  });

  it.for([
    ['10000000000000000000000000000000', 'da', 'f50ae0a9e351895be725f0044e6859d5', '00'],
    ['10000100000000000100000000000000', '3472', 'b7b91ed7465656cd4cf7a70dccd4ac74', '0001'],
    ['10010000000000000000000000000000', '0c', '4f70069c55bcf35c0c50e395c0af8bcd', '00'],
    ['10010100000000000100000000000000', 'cb21', 'ba242331218c290b6bd50d3456ee7b8a', '0001'],
  ])("reads minio/sio's known answer %s", async ([header, payload, tag, plain]) => {
    const known = Buffer.from('000102030405060708090A0B0C0D0E0FF0E0D0C0B0A090807060504030201000', 'hex');
    const stored = Buffer.from(`${header}${payload}${tag}`, 'hex');
    expect((await decrypted(stored, known)).toString('hex')).toBe(plain);
  });

  it('refuses a stream that is cut off between two packages', async () => {
    const stored = await encrypted(walLikeBytes(3 * 65_536));
    for (const packages of [1, 2]) {
      const cut = stored.subarray(0, packages * packageBytes);
      await expect(decrypted(cut), `${packages} packages`).rejects.toThrow('DARE data is truncated');
    }
  });

  it('refuses packages in another order, twice, left out, of another stream or after the last', async () => {
    const stored = await encrypted(walLikeBytes(3 * 65_536));
    const other = await encrypted(walLikeBytes(3 * 65_536));
    const at = (bytes: Buffer, index: number): Buffer =>
      bytes.subarray(index * packageBytes, (index + 1) * packageBytes);
    const orders = [
      [at(stored, 1), at(stored, 0), at(stored, 2)],
      [at(stored, 0), at(stored, 0), at(stored, 2)],
      [at(stored, 0), at(stored, 2)],
      [at(stored, 1), at(stored, 2)],
      [at(stored, 0), at(other, 1), at(stored, 2)],
      [at(stored, 0), at(stored, 1), at(other, 2)],
      [stored, at(stored, 2)],
    ];
    for (const [index, order] of orders.entries()) {
      await expect(decrypted(Buffer.concat(order)), `order ${index}`).rejects.toThrow(IntegrityError);
    }
  });

  it('refuses genuine packages where the format has no place for them', async () => {
    const short = walLikeBytes(100);
    const full = walLikeBytes(65_536);
    const streams = [
      [packageTwo('aes-256-gcm', 0, short, false), packageTwo('aes-256-gcm', 1, short, true)],
      [packageTwo('aes-256-gcm', 0, full, false), packageTwo('chacha20-poly1305', 1, short, true)],
      [packageTwo('aes-256-gcm', 0, full, false), packageOne('aes-256-gcm', 1, short)],
      [packageOne('aes-256-gcm', 0, short), packageTwo('aes-256-gcm', 1, short, true)],
      [packageOne('aes-256-gcm', 0, short), packageOne('aes-256-gcm', 2, short)],
      [packageTwo('aes-256-gcm', 0, short, true), packageTwo('aes-256-gcm', 1, short, true)],
    ];
    for (const [index, stream] of streams.entries()) {
      await expect(decrypted(Buffer.concat(stream)), `stream ${index}`).rejects.toThrow(IntegrityError);
    }
  });
});

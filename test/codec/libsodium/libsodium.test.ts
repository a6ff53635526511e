import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadSecretStreams } from '../../../src/codec/libsodium/library.ts';
import { libsodiumCipher } from '../../../src/codec/libsodium/libsodium.ts';
import { ConfigError, IntegrityError } from '../../../src/errors.ts';
import { Secret } from '../../../src/util/secret.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;
const keyBytes = randomBytes(32);
const cipher = libsodiumCipher({ key: new Secret(keyBytes.toString('hex')), keyTransform: 'hex' });

const encrypted = (bytes: Uint8Array): Promise<Buffer> => joined(cipher.encrypt(inChunks(bytes, 5000)));
const decrypted = (stored: Uint8Array): Promise<Buffer> => joined(cipher.decrypt(inChunks(stored, 5000)));

describe('libsodium', () => {
  itIsReversible(
    { write: cipher.encrypt, read: cipher.decrypt },
    { noticesEveryChange: true, readAheadBytes: 2 * mebibyte, largestChunkBytes: mebibyte },
  );

  it.for([
    [0, 24 + 17],
    [1, 24 + 18],
    [8191, 24 + 8191 + 17],
    [8192, 24 + 8209 + 17],
    [8193, 24 + 8209 + 18],
    [64 * 8192, 24 + 64 * 8209 + 17],
  ] as const)('writes %i bytes as %i: full chunks and a shorter last one', async ([plainBytes, storedBytes]) => {
    expect((await encrypted(walLikeBytes(plainBytes))).length).toBe(storedBytes);
  });

  it('writes each object differently', async () => {
    expect((await encrypted(Buffer.from('same'))).equals(await encrypted(Buffer.from('same')))).toBe(false);
  });

  it('refuses an object that is cut off between two chunks', async () => {
    const stored = await encrypted(walLikeBytes(20_000));
    for (const chunks of [0, 1, 2]) {
      const cut = stored.subarray(0, 24 + chunks * 8209);
      await expect(decrypted(cut), `${chunks} chunks`).rejects.toThrow('libsodium data is truncated');
    }
  });

  it('refuses chunks after the last one, even when they are genuine', async () => {
    const { state, header, push } = await handMade();
    const stored = Buffer.concat([header, push(state, 'a'.repeat(8192), 3), push(state, 'more', 3)]);
    await expect(decrypted(stored)).rejects.toThrow('libsodium data is followed by something else');
  });

  it('refuses chunks of kinds that WAL-G does not write', async () => {
    const { state, header, push } = await handMade();
    const stored = Buffer.concat([header, push(state, 'a'.repeat(8192), 1), push(state, '', 3)]);
    await expect(decrypted(stored)).rejects.toThrow('libsodium data has a chunk of unknown kind');
  });

  it('refuses chunks in another order', async () => {
    const stored = await encrypted(walLikeBytes(30_000));
    const [first, second] = [stored.subarray(24, 24 + 8209), stored.subarray(24 + 8209, 24 + 2 * 8209)];
    const swapped = Buffer.concat([stored.subarray(0, 24), second, first, stored.subarray(24 + 2 * 8209)]);
    await expect(decrypted(swapped)).rejects.toThrow(IntegrityError);
  });

  it('tells a wrong key from damage', async () => {
    const stored = await encrypted(walLikeBytes(20_000));
    const other = libsodiumCipher({ key: new Secret('0'.repeat(64)), keyTransform: 'hex' });
    await expect(joined(other.decrypt(inChunks(stored, 999)))).rejects.toThrow('wrong libsodium key');
    stored[15_000] = (stored[15_000] ?? 0) ^ 1;
    await expect(decrypted(stored)).rejects.toThrow('libsodium data is damaged or truncated');
  });

  it('says what is wrong with its key when it is first used', async () => {
    const short = libsodiumCipher({ key: new Secret('too short') });
    await expect(joined(short.encrypt(inChunks(Buffer.from('x'))))).rejects.toThrow(ConfigError);
    await expect(joined(libsodiumCipher({}).decrypt(inChunks(Buffer.from('x'))))).rejects.toThrow(
      'no libsodium key is set',
    );
  });

  /** A stream written chunk by chunk with the library. */
  async function handMade() {
    const sodium = await loadSecretStreams();
    const state = Buffer.alloc(sodium.crypto_secretstream_xchacha20poly1305_STATEBYTES);
    const header = Buffer.alloc(24);
    sodium.crypto_secretstream_xchacha20poly1305_init_push(state, header, keyBytes);
    const push = (stream: Buffer, text: string, tag: number): Buffer => {
      const stored = Buffer.alloc(text.length + 17);
      sodium.crypto_secretstream_xchacha20poly1305_push(stream, stored, Buffer.from(text), null, tag);
      return stored;
    };
    return { state, header, push };
  }
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cipher } from '../../src/codec/cipher.ts';
import { type CipherName, createCipher } from '../../src/codec/ciphers.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { ConfigError, IntegrityError } from '../../src/errors.ts';
import { decodeObject, encodeObject } from '../../src/repository/object-coding.ts';
import { createRepository, type RepositoryEncryption } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { createAllCiphers } from '../support/all-ciphers.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';

const codecNames = ['zstd', 'lz4', 'brotli', 'lzma', 'none'] as const;
const cipherNames = ['libsodium', 'openpgp', 'aws-kms'] as const;
const combinations = cipherNames.flatMap((cipher) => codecNames.map((codec) => [codec, cipher] as const));

/** As a segment begins: without compression, only WAL, tars and texts are known for plain. */
const bytes = Buffer.concat([Buffer.from([0x18, 0xd1, 6, 0]), walLikeBytes(100_000)]);

let kms: KmsServer;
let otherKms: KmsServer;
let ciphers: Readonly<Record<CipherName, Cipher>>;
let otherCiphers: Readonly<Record<CipherName, Cipher>>;
beforeAll(async () => {
  kms = await startKmsServer();
  otherKms = await startKmsServer();
  ciphers = await createAllCiphers(kms);
  otherCiphers = await createAllCiphers(otherKms);
});
afterAll(() => Promise.all([kms[Symbol.asyncDispose](), otherKms[Symbol.asyncDispose]()]));

const encode = (codec: (typeof codecNames)[number], encryption: RepositoryEncryption = {}): Promise<Buffer> =>
  joined(encodeObject(createRepository(createMemoryStore(), createCodec(codec), encryption), inChunks(bytes, 30_000)));

const decode = (
  codec: (typeof codecNames)[number],
  stored: Uint8Array,
  encryption: RepositoryEncryption = {},
): Promise<Buffer> =>
  joined(
    decodeObject(
      createRepository(createMemoryStore(), createCodec('zstd'), encryption),
      { name: 's3://b/p/object', suffix: createCodec(codec).suffix },
      inChunks(stored, 10_000),
    ),
  );

describe.for(combinations)('an object in %s, encrypted by %s', ([codec, cipherName]) => {
  it('is read with its key, whether plain ones are allowed or not', async () => {
    const cipher = ciphers[cipherName];
    const stored = await encode(codec, { cipher });
    for (const allowPlain of [false, true]) {
      expect((await decode(codec, stored, { cipher, allowPlain })).equals(bytes)).toBe(true);
    }
  });

  it('is refused under another key as "wrong key", whether plain ones are allowed or not', async () => {
    const stored = await encode(codec, { cipher: ciphers[cipherName] });
    for (const allowPlain of [false, true]) {
      const failure = decode(codec, stored, { cipher: otherCiphers[cipherName], allowPlain });
      await expect(failure).rejects.toThrow(IntegrityError);
      await expect(failure).rejects.toThrow(/cannot read s3:\/\/b\/p\/object: wrong .* key/);
    }
  });

  it('is refused without a key, and the message says what it seems to be', async () => {
    const stored = await encode(codec, { cipher: ciphers[cipherName] });
    if (cipherName === 'openpgp') {
      const failure = decode(codec, stored);
      await expect(failure).rejects.toThrow(ConfigError);
      await expect(failure).rejects.toThrow(
        'cannot read s3://b/p/object: it is encrypted (openpgp), and no encryption is configured',
      );
    } else if (codec !== 'none' && codec !== 'brotli') {
      await expect(decode(codec, stored)).rejects.toMatchObject({ hint: expect.stringMatching(/it is encrypted/) });
    }
  });
});

describe.for(combinations)('an object in %s that is not encrypted, under %s', ([codec, cipherName]) => {
  it('is refused', async () => {
    const failure = decode(codec, await encode(codec), { cipher: ciphers[cipherName] });
    await expect(failure).rejects.toThrow(IntegrityError);
    await expect(failure).rejects.toThrow(
      'cannot read s3://b/p/object: it is not encrypted, and encryption is configured',
    );
  });

  it('is read where plain objects are allowed', async () => {
    const encryption = { cipher: ciphers[cipherName], allowPlain: true };
    expect((await decode(codec, await encode(codec), encryption)).equals(bytes)).toBe(true);
  });
});

describe('decodeObject', () => {
  it('says what KMS has wrapped, without its key', async () => {
    const stored = await encode('zstd', { cipher: ciphers['aws-kms'] });
    stored.set([1, 2, 2, 0, 0x78]);
    await expect(decode('zstd', stored)).rejects.toThrow(/it is encrypted \(aws-kms\)/);
  });

  it('refuses a plain object of a few bytes', async () => {
    for (const cipherName of cipherNames) {
      for (const plain of ['', 'x', '1\t0/3000000\tno recovery target specified\n']) {
        const failure = decode('none', Buffer.from(plain), { cipher: ciphers[cipherName] });
        await expect(failure).rejects.toThrow(IntegrityError);
      }
    }
  });

  it('names the object that is damaged', async () => {
    const stored = await encode('zstd');
    stored[5000] = (stored[5000] ?? 0) ^ 1;
    const failure = decode('zstd', stored);
    await expect(failure).rejects.toThrow(/^cannot read s3:\/\/b\/p\/object: zstd data is damaged/);
    await expect(failure).rejects.toMatchObject({ hint: expect.stringMatching(/another copy/) });
  });

  it('names the object when the key is not there', async () => {
    const cipher = createCipher('libsodium', { keyFile: '/nowhere/key' });
    const failure = decode('zstd', await encode('zstd', { cipher: ciphers.libsodium }), { cipher });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(
      /^cannot read s3:\/\/b\/p\/object: cannot read the libsodium key from \/nowhere\/key/,
    );
  });

  it('leaves the errors of the source alone', async () => {
    const failure = new Error('the network is gone');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw failure;
    }
    for (const cipher of [undefined, ciphers.libsodium]) {
      const repository = createRepository(createMemoryStore(), createCodec('zstd'), { cipher, allowPlain: true });
      await expect(joined(decodeObject(repository, { name: 'x', suffix: '' }, body()))).rejects.toBe(failure);
    }
  });
});

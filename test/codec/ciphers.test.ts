import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { generateKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cipher } from '../../src/codec/cipher.ts';
import { type CipherName, cipherNames, createCipher } from '../../src/codec/ciphers.ts';
import type { Codec } from '../../src/codec/codec.ts';
import { codecForSuffix, createCodec } from '../../src/codec/codecs.ts';
import { ConfigError, IntegrityError } from '../../src/errors.ts';
import { Secret } from '../../src/util/secret.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';

const mebibyte = 1024 * 1024;
const sizes = [0, 1, 8191, 8192, 8193, 65_536, 4 * mebibyte, 16 * mebibyte];
const codecNames = ['zstd', 'lz4', 'brotli', 'lzma', 'none'] as const;
const combinations = cipherNames.flatMap((cipher) => codecNames.map((codec) => [codec, cipher] as const));

const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-north-1' };
let kms: KmsServer;
let ciphers: Readonly<Record<CipherName, Cipher>>;
beforeAll(async () => {
  kms = await startKmsServer();
  const userIDs = [{ name: 'test', email: 'test@example.com' }];
  const { privateKey } = await generateKey({ type: 'curve25519', userIDs });
  ciphers = {
    libsodium: createCipher('libsodium', {
      key: new Secret(randomBytes(32).toString('base64')),
      keyTransform: 'base64',
    }),
    openpgp: createCipher('openpgp', { key: new Secret(privateKey) }),
    'aws-kms': createCipher('aws-kms', { keyId: 'alias/test', endpoint: kms.url, environment }),
  };
});
afterAll(() => kms[Symbol.asyncDispose]());

/** The most of it repeats, as in a segment that is not full. */
const content = Buffer.concat([walLikeBytes(mebibyte), Buffer.alloc(15 * mebibyte)]);

const store = (codec: Codec, cipher: Cipher, bytes: Uint8Array, ...lengths: number[]): Promise<Buffer> =>
  joined(cipher.encrypt(codec.encode(inChunks(bytes, ...lengths))));
const fetch = (codec: Codec | undefined, cipher: Cipher, stored: Uint8Array, ...lengths: number[]): Promise<Buffer> =>
  joined(codec?.decode(cipher.decrypt(inChunks(stored, ...lengths))) ?? inChunks(Buffer.alloc(0)));

describe('createCipher', () => {
  it('makes the cipher of each name', () => {
    for (const name of cipherNames) expect(ciphers[name].name).toBe(name);
  });

  it('refuses a cipher that does not exist', () => {
    expect(() => createCipher('rot13' as CipherName, {} as never)).toThrow(ConfigError);
  });
});

describe.for(combinations)('%s, then %s', ([codecName, cipherName]) => {
  const codec = createCodec(codecName);
  const reader = codecForSuffix(codec.suffix);

  it('gives back the same bytes around the sizes of blocks and chunks', { timeout: 120_000 }, async () => {
    for (const sizeBytes of sizes) {
      const bytes = content.subarray(0, sizeBytes);
      const stored = await store(codec, ciphers[cipherName], bytes, 100_003, 7, mebibyte);
      const restored = await fetch(reader, ciphers[cipherName], stored, 65_537, 1, 3);
      expect(restored.equals(bytes), `${sizeBytes} bytes`).toBe(true);
    }
  });

  it('gives back the same bytes whatever the borders of the chunks', { timeout: 120_000 }, async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(
      fc.constantFrom(...sizes.slice(0, 6)),
      cuts,
      cuts,
      async (sizeBytes, before, after) => {
        const bytes = content.subarray(0, sizeBytes);
        const stored = await store(codec, ciphers[cipherName], bytes, ...before);
        expect((await fetch(reader, ciphers[cipherName], stored, ...after)).equals(bytes)).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 15 });
  });

  it('refuses an object that is cut off or changed anywhere', { timeout: 120_000 }, async () => {
    const bytes = content.subarray(0, 40);
    const stored = await store(codec, ciphers[cipherName], bytes);
    for (let offset = 0; offset < stored.length; offset += 3) {
      const changed = Buffer.from(stored);
      changed[offset] = (changed[offset] ?? 0) ^ 0x10;
      for (const damaged of [stored.subarray(0, offset), changed]) {
        const outcome = await fetch(reader, ciphers[cipherName], damaged, 1000).catch((error: unknown) => error);
        if (!(outcome instanceof Buffer)) expect(outcome, `byte ${offset}`).toBeInstanceOf(IntegrityError);
        else expect(outcome.equals(bytes), `byte ${offset}`).toBe(true);
      }
    }
  });
});

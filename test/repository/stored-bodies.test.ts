import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cipher } from '../../src/codec/cipher.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { IntegrityError } from '../../src/errors.ts';
import { decodeObject, encodeObject } from '../../src/repository/object-coding.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { createAllCiphers } from '../support/all-ciphers.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { type KmsServer, startKmsServer } from '../support/kms-server.ts';

const mebibyte = 1024 * 1024;
const sizes = [0, 1, 8191, 8192, 8193, 65_536, 4 * mebibyte, 16 * mebibyte];
const codecNames = ['zstd', 'lz4', 'brotli', 'lzma', 'none'] as const;
const cipherNames = ['none', 'libsodium', 'openpgp', 'aws-kms'] as const;
const combinations = cipherNames.flatMap((cipher) => codecNames.map((codec) => [codec, cipher] as const));

/** The most of it repeats, as in a segment that is not full. */
const content = Buffer.concat([walLikeBytes(mebibyte), Buffer.alloc(15 * mebibyte)]);

/** Where the stored chunks of each cipher end: behind the first one, and from one to the next. */
const chunkBorders: Readonly<Record<string, { readonly first: number; readonly step: number }>> = {
  libsodium: { first: 24 + 8209, step: 8209 },
  openpgp: { first: 65_536, step: 65_536 },
  'aws-kms': { first: 184 + 65_568, step: 65_568 },
};

let kms: KmsServer;
let ciphers: Readonly<Record<(typeof cipherNames)[number], Cipher | undefined>>;
beforeAll(async () => {
  kms = await startKmsServer();
  ciphers = { none: undefined, ...(await createAllCiphers(kms)) };
});
afterAll(() => kms[Symbol.asyncDispose]());

const write = (repository: Repository, bytes: Uint8Array, ...lengths: number[]): Promise<Buffer> =>
  joined(encodeObject(repository, inChunks(bytes, ...lengths)));
const read = (repository: Repository, stored: Uint8Array, ...lengths: number[]): Promise<Buffer> =>
  joined(decodeObject(repository, { name: 'x', suffix: repository.codec.suffix }, inChunks(stored, ...lengths)));

describe.for(combinations)('an object in %s, encrypted by %s', ([codecName, cipherName]) => {
  let repository: Repository;
  beforeAll(() => {
    repository = createRepository(createMemoryStore(), createCodec(codecName), { cipher: ciphers[cipherName] });
  });

  it('is read as it was written around the sizes of blocks and chunks', { timeout: 120_000 }, async () => {
    for (const sizeBytes of sizes) {
      const bytes = content.subarray(0, sizeBytes);
      const stored = await write(repository, bytes, 100_003, 7, mebibyte);
      const restored = await read(repository, stored, 65_537, 1, 3);
      expect(restored.equals(bytes), `${sizeBytes} bytes`).toBe(true);
    }
  });

  it('is read as it was written whatever the borders of the chunks', { timeout: 120_000 }, async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 });
    const smallSizes = fc.constantFrom(...sizes.slice(0, 6));
    const property = fc.asyncProperty(smallSizes, cuts, cuts, async (sizeBytes, before, after) => {
      const bytes = content.subarray(0, sizeBytes);
      const stored = await write(repository, bytes, ...before);
      expect((await read(repository, stored, ...after)).equals(bytes)).toBe(true);
    });
    await fc.assert(property, { numRuns: 15 });
  });

  // Without compression and encryption, damage shows where the plain bytes are checked: by the pages of a segment, the headers of a
  // tar, the manifest. Neither brotli nor lzma has a checksum.
  if (cipherName !== 'none' || codecName === 'zstd' || codecName === 'lz4') {
    it('is refused when it is changed anywhere, or read as it was', { timeout: 120_000 }, async () => {
      const bytes = content.subarray(0, 40);
      const stored = await write(repository, bytes);
      for (let offset = 0; offset < stored.length; offset += 1) {
        const changed = Buffer.from(stored);
        changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset & 7));
        const outcome = await read(repository, changed, 1000).catch((error: unknown) => error);
        if (!(outcome instanceof Buffer)) expect(outcome, `byte ${offset}`).toBeInstanceOf(IntegrityError);
        else expect(outcome.equals(bytes), `byte ${offset}`).toBe(true);
      }
    });
  }

  if (cipherName !== 'none' || codecName !== 'none') {
    it('is refused when it is cut off anywhere', { timeout: 120_000 }, async () => {
      const stored = await write(repository, content.subarray(0, 40));
      for (let length = 0; length < stored.length; length += 1) {
        // The wrapped data key alone stands for no bytes at all, which no WAL file, tar or manifest has.
        if (codecName === 'none' && cipherName === 'aws-kms' && length === 184) continue;
        const cut = read(repository, stored.subarray(0, length), 1000);
        await expect(cut, `${length} bytes`).rejects.toThrow(IntegrityError);
      }
    });
  }

  const borders = chunkBorders[cipherName];
  if (borders !== undefined) {
    it('is refused when its last chunks are missing', async () => {
      const stored = await write(repository, walLikeBytes(300_000), 50_000);
      for (let length = borders.first; length < stored.length; length += borders.step) {
        const cut = read(repository, stored.subarray(0, length), 10_000);
        await expect(cut, `${length} bytes`).rejects.toThrow(IntegrityError);
      }
    });
  }
});

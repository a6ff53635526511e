import { fileURLToPath } from 'node:url';
import { compressSync } from 'lz4-napi';
import { beforeAll, describe, expect, it } from 'vitest';
import { lz4Codec } from '../../../src/codec/lz4/lz4.ts';
import { packBlock } from '../../../src/codec/lz4/pack-block.ts';
import { createPackingThread } from '../../../src/codec/lz4/packing-thread.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';
import { runCommand } from '../../support/run-command.ts';

const mebibyte = 1024 * 1024;

const plain = (sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  bytes.set(walLikeBytes(sizeBytes, seed));
  return bytes;
};

describe('a thread that packs lz4 blocks', () => {
  it('gives each block as it would be packed here, and its memory back', async () => {
    const thread = createPackingThread();
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);
    const results = await Promise.all(seeds.map((seed) => thread.pack(plain(300_000 + seed, seed))));
    for (const [seed, { packed, plain: block }] of results.entries()) {
      expect(packBlock(plain(300_000 + seed, seed), compressSync).equals(packed)).toBe(true);
      expect(block.buffer.byteLength).toBe(300_000 + seed);
    }
  });

  it('packs the filled part of a block, and gives back all of its memory', async () => {
    const { packed, plain: block } = await createPackingThread().pack(plain(mebibyte).subarray(0, 1000));
    expect(packBlock(plain(1000), compressSync).equals(packed)).toBe(true);
    expect(block.buffer.byteLength).toBe(mebibyte);
  });

  it('says so when it has ended, and goes on as another one', async () => {
    const thread = createPackingThread();
    const rubbish = { buffer: new ArrayBuffer(1) } as unknown as Uint8Array<ArrayBuffer>;
    await expect(thread.pack(rubbish)).rejects.toThrow('the thread that compresses with lz4 has ended');
    await expect(thread.pack(plain(1000))).resolves.toBeDefined();
  });

  it('keeps the process until its work is done, and no longer', async () => {
    const url = new URL('../../../src/codec/lz4/packing-thread.ts', import.meta.url);
    const program = `
      const { createPackingThread } = await import(${JSON.stringify(fileURLToPath(url))});
      const { packed } = await createPackingThread().pack(new Uint8Array(1000));
      process.stdout.write(String(packed.length));`;
    const result = await runCommand(process.execPath, ['--input-type=module', '--eval', program]);
    expect(result).toMatchObject({ exitCode: 0, stdout: String(packBlock(Buffer.alloc(1000), compressSync).length) });
  });
});

describe('lz4 after the first 64 MiB of a process', () => {
  const stored = (bytes: Uint8Array): Promise<Buffer> => joined(lz4Codec.encode(inChunks(bytes, 100_003)));
  const contents = [0, 1, 9 * mebibyte, 16 * mebibyte].map((sizeBytes) => walLikeBytes(sizeBytes));
  let before: readonly Buffer[];
  beforeAll(async () => {
    before = await Promise.all(contents.map(stored));
    await stored(Buffer.alloc(64 * mebibyte));
  });

  it('writes the same bytes as before', async () => {
    for (const [index, content] of contents.entries()) {
      expect((await stored(content)).equals(before[index] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('writes several streams side by side', async () => {
    const segments = Array.from({ length: 6 }, (_, seed) => walLikeBytes(16 * mebibyte, seed));
    const objects = await Promise.all(segments.map(stored));
    for (const [index, object] of objects.entries()) {
      expect((await joined(lz4Codec.decode(inChunks(object)))).equals(segments[index] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  itIsReversible(
    { write: lz4Codec.encode, read: lz4Codec.decode },
    {
      noticesEveryChange: true,
      readAheadBytes: 8 * mebibyte,
      largestChunkBytes: 4 * mebibyte + 4,
    },
  );
});

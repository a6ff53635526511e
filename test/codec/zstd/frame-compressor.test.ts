import { randomBytes } from 'node:crypto';
import { constants, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createFrameCompressor } from '../../../src/codec/zstd/frame-compressor.ts';

const options = {
  params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  chunkSize: 64 * 1024,
};

const blocks = [
  randomBytes(2 * 1024 * 1024),
  Buffer.alloc(2 * 1024 * 1024),
  randomBytes(1024 * 1024).toString('hex'),
  Buffer.alloc(1),
  randomBytes(3),
].map((block) => Buffer.from(block));

describe('the compressor of frames', () => {
  it('makes one whole frame of each block, however many pieces it takes', async () => {
    using compressor = createFrameCompressor(options);
    for (const block of [...blocks, ...blocks]) {
      const frame = Buffer.concat([...(await compressor.add(block)), ...(await compressor.end())]);
      expect(frame.readUInt32LE()).toBe(0xfd2f_b528);
      expect(zstdDecompressSync(frame).equals(block)).toBe(true);
    }
  });

  it('makes one frame of several blocks', async () => {
    using compressor = createFrameCompressor(options);
    const pieces: Uint8Array[] = [];
    for (const block of blocks) pieces.push(...(await compressor.add(block)));
    const frame = Buffer.concat([...pieces, ...(await compressor.end())]);
    expect(zstdDecompressSync(frame).equals(Buffer.concat(blocks))).toBe(true);
  });

  it('leaves the block alone once it is compressed', async () => {
    using compressor = createFrameCompressor(options);
    const block = Buffer.from(blocks[0] ?? '');
    const begin = await compressor.add(block);
    const copy = Buffer.from(block);
    block.fill(0);
    const frame = Buffer.concat([...begin, ...(await compressor.end())]);
    expect(zstdDecompressSync(frame).equals(copy)).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inBlocks } from '../../src/util/in-blocks.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

describe('inBlocks', () => {
  it('cuts a stream into blocks of one size, whatever its chunks', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
    const property = fc.asyncProperty(
      fc.nat(1000),
      fc.integer({ min: 1, max: 200 }),
      lengths,
      async (size, block, cuts) => {
        const bytes = walLikeBytes(size);
        const blocks = await Array.fromAsync(inBlocks(inChunks(bytes, ...cuts), block));
        expect(Buffer.concat(blocks)).toEqual(bytes);
        expect(blocks.slice(0, -1).every((one) => one.length === block)).toBe(true);
        expect(blocks).toHaveLength(Math.ceil(size / block));
      },
    );
    await fc.assert(property);
  });

  it('fills the buffers that it is given', async () => {
    const buffer = new Uint8Array(100);
    const blocks: number[] = [];
    for await (const block of inBlocks(inChunks(walLikeBytes(250), 30), 100, () => buffer)) {
      expect(block.buffer).toBe(buffer.buffer);
      blocks.push(block.length);
    }
    expect(blocks).toEqual([100, 100, 50]);
  });

  it('leaves the chunks alone', async () => {
    const bytes = walLikeBytes(400);
    for await (const block of inBlocks(inChunks(bytes, 400), 100)) block.fill(0);
    expect(bytes).toEqual(walLikeBytes(400));
  });

  it('passes on the error of its source', async () => {
    const failure = new Error('gone');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
      throw failure;
    }
    await expect(joined(inBlocks(failing(), 2))).rejects.toBe(failure);
  });
});

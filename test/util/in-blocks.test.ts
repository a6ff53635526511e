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

  it('gives views of a chunk that holds whole blocks', async () => {
    const bytes = walLikeBytes(400);
    const blocks = await Array.fromAsync(inBlocks(inChunks(bytes, 400), 100));
    expect(blocks.every((block) => block.buffer === bytes.buffer)).toBe(true);
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

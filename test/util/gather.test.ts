import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gather } from '../../src/util/gather.ts';
import { inChunks } from '../support/byte-streams.ts';

describe('gathering a stream', () => {
  it('gives the same bytes in pieces of at least the size, the last excepted', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const size = fc.integer({ min: 1, max: 50 });
    await fc.assert(
      fc.asyncProperty(bytes, size, size, async (content, chunkSize, sizeBytes) => {
        const pieces = await Array.fromAsync(gather(inChunks(content, chunkSize), sizeBytes));
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(content));
        for (const piece of pieces.slice(0, -1)) expect(piece.byteLength).toBeGreaterThanOrEqual(sizeBytes);
      }),
    );
  });

  it('passes large chunks as they are', async () => {
    const chunk = Buffer.alloc(100);
    const [piece] = await Array.fromAsync(gather(inChunks(chunk, 100), 100));
    expect(piece?.buffer).toBe(chunk.buffer);
  });
});

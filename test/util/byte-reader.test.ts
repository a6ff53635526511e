import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createByteReader } from '../../src/util/byte-reader.ts';
import { inChunks, joined } from '../support/byte-streams.ts';

const bytes = Buffer.from('abcdefghij');

describe('createByteReader', () => {
  it('reads by any sizes what comes in any chunks', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), cuts, cuts, async (all, chunks, sizes) => {
      const reader = createByteReader(inChunks(all, ...chunks));
      const parts: Uint8Array[] = [];
      for (let turn = 0, offset = 0; offset < all.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        const part = await reader.read(size);
        expect(part.length).toBe(Math.min(size, all.length - offset));
        parts.push(part);
        offset += part.length;
      }
      expect(Buffer.concat(parts).equals(all)).toBe(true);
      expect((await reader.read(5)).length).toBe(0);
    });
    await fc.assert(property);
  });

  it('gives views of what lies within one chunk', async () => {
    const reader = createByteReader(inChunks(bytes, 5));
    expect((await reader.read(3)).buffer).toBe(bytes.buffer);
    expect((await reader.read(3)).buffer).not.toBe(bytes.buffer);
    expect(await reader.readSome(100)).toEqual(bytes.subarray(6));
    expect(await reader.readSome(100)).toBeUndefined();
  });

  it('passes over bytes and hands out the rest', async () => {
    const reader = createByteReader(inChunks(bytes, 4));
    expect(await reader.skip(6)).toBe(6);
    expect((await joined(reader.rest())).toString()).toBe('ghij');
    expect(await reader.skip(6)).toBe(0);
  });

  it('closes the source when it is disposed of before the end', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 2);
      } finally {
        isClosed = true;
      }
    }
    {
      await using reader = createByteReader(source());
      await reader.read(1);
      expect(isClosed).toBe(false);
    }
    expect(isClosed).toBe(true);
  });
});

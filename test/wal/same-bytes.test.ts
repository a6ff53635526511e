import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { haveSameBytes } from '../../src/wal/same-bytes.ts';
import { inChunks } from '../support/byte-streams.ts';

const chunkLengths = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 3 });
const contents = fc.oneof(
  fc.uint8Array({ maxLength: 50 }),
  fc.integer({ min: 0, max: 600_000 }).map((length) => new Uint8Array(length).fill(7)),
);

describe('haveSameBytes', () => {
  it('says so of equal contents, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(contents, chunkLengths, chunkLengths, async (bytes, left, right) => {
        expect(await haveSameBytes(inChunks(bytes, ...left), inChunks(bytes, ...right))).toBe(true);
      }),
    );
  });

  it('tells apart contents that differ in one byte or in length', async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(), async (bytes, seed) => {
        const longer = Buffer.concat([bytes, Buffer.from([0])]);
        expect(await haveSameBytes(inChunks(bytes), inChunks(longer))).toBe(false);
        expect(await haveSameBytes(inChunks(longer), inChunks(bytes))).toBe(false);
        if (bytes.length === 0) return;
        const changed = Uint8Array.from(bytes);
        changed[seed % bytes.length] = (changed[seed % bytes.length] ?? 0) ^ 1;
        expect(await haveSameBytes(inChunks(bytes), inChunks(changed))).toBe(false);
      }),
    );
  });

  it('reads no further than the largest segment goes', async () => {
    const zeros = new Uint8Array(64 * 1024 * 1024);
    let readBytes = 0;
    async function* bomb() {
      for (;;) {
        readBytes += zeros.length;
        yield zeros;
      }
    }
    expect(await haveSameBytes(bomb(), inChunks(new Uint8Array([1])))).toBe(false);
    expect(readBytes).toBeLessThanOrEqual(1024 * 1024 * 1024 + zeros.length);
  });

  it('throws the damage of the stored one also when it shows behind a difference', async () => {
    const damage = new Error('checksum');
    async function* damaged() {
      yield new Uint8Array(500_000);
      throw damage;
    }
    await expect(haveSameBytes(damaged(), inChunks(new Uint8Array([1])))).rejects.toBe(damage);
  });
});

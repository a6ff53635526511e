import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { UsageError } from '../../src/errors.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { findGaps, listTimelines } from '../../src/repository/wal-inventory.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';

const mebibyte = 1024 * 1024;

async function holding(...names: string[]) {
  const repository = createRepository(createMemoryStore(), createCodec('zstd'));
  for (const name of names) await repository.store.put(`wal_005/${name}`, new Uint8Array(1));
  return repository;
}

describe('the inventory of WAL', () => {
  it('has the segments of each timeline in their order, each once, and nothing else', async () => {
    const repository = await holding(
      '000000010000000000000001.zst',
      '000000010000000000000001.lz4',
      '0000000100000000000000FF',
      '000000010000000100000000.br',
      '000000010000000100000001.partial.zst',
      '000000010000000100000002.json',
      '000000010000000100000003.00000028.backup.zst',
      '000000010000000100000010_delta.zst',
      '0000000A0000000000000007.zst',
      '0000000A.history.zst',
    );
    expect(await listTimelines(repository, 16 * mebibyte)).toEqual([
      { timeline: 1, segmentNumbers: [1n, 255n, 256n] },
      { timeline: 10, segmentNumbers: [7n] },
    ]);
  });

  it('refuses names that cannot be, with segments of this size', async () => {
    const repository = await holding('000000010000000000000040.zst');
    expect(await listTimelines(repository, 16 * mebibyte)).toEqual([{ timeline: 1, segmentNumbers: [64n] }]);
    await expect(listTimelines(repository, 64 * mebibyte)).rejects.toThrow(UsageError);
  });

  it('names every gap', () => {
    expect(findGaps([])).toEqual([]);
    expect(findGaps([4n, 5n, 7n, 10n])).toEqual([
      { first: 6n, last: 6n },
      { first: 8n, last: 9n },
    ]);
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: 0n, max: 40n }), { minLength: 1 }), (drawn) => {
        const held = drawn.toSorted((a, b) => Number(a - b));
        const missing = findGaps(held).flatMap(({ first, last }) =>
          Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index)),
        );
        const all = [...held, ...missing].toSorted((a, b) => Number(a - b));
        const [lowest = 0n] = held;
        expect(all).toEqual(all.map((_, index) => lowest + BigInt(index)));
        expect(all.at(-1)).toBe(held.at(-1));
      }),
    );
  });
});

import { expect } from 'vitest';
import { AlreadyExistsError } from '../../../src/errors.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { inChunks, walLikeBytes } from '../../support/byte-streams.ts';
import { readObject, type SpaceTest, type StoreSpace } from './store-space.ts';

const mebibyte = 1024 * 1024;

/** Lets so many writers, on both hosts where there are two, create the same key at once; gives the bytes of those that succeeded. */
async function race(space: StoreSpace, key: string, writers: number, sizeBytes: number): Promise<Buffer[]> {
  const hosts: ObjectStore[] = [space.store, space.otherHost ?? space.store];
  const outcomes = Array.from({ length: writers }, async (_, index) => {
    const bytes = walLikeBytes(sizeBytes, index + 1);
    const host = hosts[index % 2] ?? space.store;
    try {
      await host.put(key, () => inChunks(bytes, mebibyte), { ifAbsent: true });
      return bytes;
    } catch (error) {
      expect(error).toBeInstanceOf(AlreadyExistsError);
      return undefined;
    }
  });
  return (await Promise.all(outcomes)).filter((bytes) => bytes !== undefined);
}

export function describeCreate(it: SpaceTest): void {
  it('creates what is absent', async ({ space }) => {
    await space.store.put('folder/bytes', Buffer.from('one'), { ifAbsent: true });
    await space.store.put('folder/stream', () => inChunks(Buffer.from('two'), 1), { ifAbsent: true });
    expect((await readObject(space, 'folder/bytes')).toString()).toBe('one');
    expect((await readObject(space, 'folder/stream')).toString()).toBe('two');
    expect(await space.leftovers()).toEqual([]);
  });

  it('refuses with AlreadyExistsError what is there, and leaves it as it is', async ({ space }) => {
    const { store, partSizeBytes, wholeBodyBytes } = space;
    await store.put('object', Buffer.from('first'));
    const large = walLikeBytes(wholeBodyBytes + partSizeBytes);
    for (const body of [
      Buffer.from('first'),
      Buffer.from('second'),
      Buffer.alloc(0),
      large,
      () => inChunks(large, mebibyte),
    ]) {
      await expect(store.put('object', body, { ifAbsent: true })).rejects.toThrow(AlreadyExistsError);
    }
    expect((await readObject(space, 'object')).toString()).toBe('first');
    expect(await space.leftovers()).toEqual([]);
  });

  it('names the object in the refusal', async ({ space: { store } }) => {
    await store.put('wal_005/0001', Buffer.from('x'));
    await expect(store.put('wal_005/0001', Buffer.from('x'), { ifAbsent: true })).rejects.toThrow('wal_005/0001');
  });

  it('lets exactly one of twenty writers win', async ({ space }) => {
    for (const key of ['race-1', 'race-2', 'new-folder/race-3']) {
      const winners = await race(space, key, 20, 200_000);
      expect(winners.length).toBe(1);
      expect((await readObject(space, key)).equals(winners[0] ?? Buffer.alloc(0))).toBe(true);
    }
    expect(await space.leftovers()).toEqual([]);
  });

  it('lets exactly one of four writers win whose bodies go out in parts', async ({ space }) => {
    const winners = await race(space, 'race', 4, space.wholeBodyBytes + space.partSizeBytes);
    expect(winners.length).toBe(1);
    expect((await readObject(space, 'race')).equals(winners[0] ?? Buffer.alloc(0))).toBe(true);
    expect(await space.leftovers()).toEqual([]);
  });
}

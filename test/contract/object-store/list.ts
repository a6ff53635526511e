import pMap from 'p-map';
import { expect } from 'vitest';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { inByteOrder, listAll, listKeys, type SpaceTest, type StoreKind } from './store-space.ts';

async function putAll(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await pMap(keys, (key) => store.put(key, Buffer.from(key)), { concurrency: 24 });
}

export function describeList(it: SpaceTest, kind: StoreKind): void {
  it('lists 2500 objects page by page in byte order', { timeout: 180_000 }, async ({ space: { store } }) => {
    const keys = Array.from(
      { length: 2500 },
      (_, index) => `wal_005/${((index * 7919) % 2500).toString(16).padStart(24, '0')}`,
    );
    await putAll(store, keys);
    expect(await listKeys(store, 'wal_005/')).toEqual(inByteOrder(keys));
    expect(await listKeys(store, 'wal_005/', keys[1250])).toEqual(
      inByteOrder(keys).filter((key) => key > String(keys[1250])),
    );
    const narrow = 'wal_005/000000000000000000000c';
    expect(await listKeys(store, narrow)).toEqual(inByteOrder(keys.filter((key) => key.startsWith(narrow))));
  });

  it('orders by the bytes of the whole key, not folder by folder', async ({ space: { store } }) => {
    const keys = [
      'a-/x',
      'a-x',
      'a.b',
      'a/b',
      'a/b0',
      'a/c/d',
      'a/c-d',
      'a0',
      'aa',
      'b',
      'B',
      'a/é',
      ...(kind.ordersAllPlanes ? ['a/\uffee'] : []),
      'a/\u{1f40b}',
      'a/~',
      'ä',
    ];
    await putAll(store, keys);
    expect(await listKeys(store)).toEqual(inByteOrder(keys));
    expect(await listKeys(store, 'a')).toEqual(inByteOrder(keys.filter((key) => key.startsWith('a'))));
    expect(await listKeys(store, 'a/')).toEqual(inByteOrder(keys.filter((key) => key.startsWith('a/'))));
  });

  it('takes a prefix that does not end at a slash', async ({ space: { store } }) => {
    const keys = ['wal_005/0001', 'wal_005/0001.zst', 'wal_005/0002.zst', 'wal_005_old/0001', 'wal'];
    await putAll(store, keys);
    expect(await listKeys(store, 'wal_005/0001')).toEqual(['wal_005/0001', 'wal_005/0001.zst']);
    expect(await listKeys(store, 'wal_005/0001.')).toEqual(['wal_005/0001.zst']);
    expect(await listKeys(store, 'wal_005')).toEqual([
      'wal_005/0001',
      'wal_005/0001.zst',
      'wal_005/0002.zst',
      'wal_005_old/0001',
    ]);
    expect(await listKeys(store, 'wal')).toEqual(inByteOrder(keys));
    expect(await listKeys(store, '')).toEqual(inByteOrder(keys));
  });

  it('lists nothing where nothing is', async ({ space: { store } }) => {
    expect(await listKeys(store)).toEqual([]);
    expect(await listKeys(store, 'no/such/folder/')).toEqual([]);
    await store.put('folder/object', Buffer.from('x'));
    expect(await listKeys(store, 'folder/object/')).toEqual([]);
    expect(await listKeys(store, 'folder/p')).toEqual([]);
    expect(await listKeys(store, 'Folder/')).toEqual([]);
  });

  it('leaves out every key up to and including startAfter, whether or not it exists', async ({ space: { store } }) => {
    const keys = ['a/1', 'a/2', 'b/1/x', 'b/1/y', 'b/2', 'c'];
    await putAll(store, keys);
    const marks = [
      '',
      'a',
      'a/',
      'a/1',
      'a/1 ',
      'a/11',
      'a/2',
      'a/3',
      'b/1',
      'b/1/',
      'b/1/x',
      'b/1/xx',
      'b/1/y',
      'b/1/z',
      'c',
      'd',
      '\u{1f40b}',
    ];
    for (const mark of marks) {
      for (const prefix of ['', 'a', 'b/', 'b/1']) {
        const expected = keys.filter((key) => key.startsWith(prefix) && key > mark);
        expect(await listKeys(store, prefix, mark), `${prefix} after ${mark}`).toEqual(expected);
      }
    }
  });

  it('tells size and time of each object as head does', async ({ space: { store } }) => {
    await store.put('folder/empty', Buffer.alloc(0));
    await store.put('folder/object', Buffer.alloc(54_321));
    const listed = await listAll(store);
    expect(listed.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual([
      ['folder/empty', 0],
      ['folder/object', 54_321],
    ]);
    for (const object of listed) {
      const head = await store.head(object.key);
      expect(Object.keys(object).sort()).toEqual(['key', 'modifiedAt', 'sizeBytes']);
      // Some services give the time in whole seconds in one place and exactly in the other.
      expect(Math.abs(object.modifiedAt.getTime() - head.modifiedAt.getTime())).toBeLessThan(1000);
    }
  });

  it('may be left early', async ({ space: { store } }) => {
    await putAll(store, ['a', 'b', 'c']);
    for (let count = 0; count < 120; count += 1) {
      for await (const object of store.list('')) {
        expect(object.key).toBe('a');
        break;
      }
    }
    expect(await listKeys(store)).toEqual(['a', 'b', 'c']);
  });

  it('lists what is there from beginning to end while other objects come and go', async ({ space: { store } }) => {
    const stays = Array.from({ length: 300 }, (_, index) => `stays/${String(index).padStart(4, '0')}`);
    await putAll(store, stays);
    let isListing = true;
    const disturb = async () => {
      for (let index = 0; isListing; index += 1) {
        const key = `stays/${String(index % 300).padStart(4, '0')}-guest`;
        await store.put(key, Buffer.from(key));
        await store.delete([key]);
      }
    };
    const disturbance = disturb();
    try {
      for (let round = 0; round < 5; round += 1) {
        const keys = await listKeys(store, 'stays/');
        expect(keys).toEqual(inByteOrder(keys));
        expect(keys.filter((key) => !key.endsWith('-guest'))).toEqual(stays);
      }
    } finally {
      isListing = false;
      await disturbance;
    }
  });
}

import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { withPrefix } from '../../src/storage/with-prefix.ts';
import { joined } from '../support/byte-streams.ts';

async function keysOf(objects: AsyncIterable<{ key: string }>): Promise<string[]> {
  return (await Array.fromAsync(objects)).map(({ key }) => key);
}

describe('a store with a prefix', () => {
  it('puts every key below the prefix and gives it back without', async () => {
    const store = createMemoryStore();
    const inside = withPrefix(store, 'backups/main');
    await inside.put('wal_005/0001', Buffer.from('x'));

    expect(await keysOf(store.list(''))).toEqual(['backups/main/wal_005/0001']);
    expect(await inside.head('wal_005/0001')).toMatchObject({ key: 'wal_005/0001', sizeBytes: 1 });
    const { body, ...opened } = await inside.get('wal_005/0001');
    expect(opened).toMatchObject({ key: 'wal_005/0001', sizeBytes: 1 });
    expect((await joined(body)).toString()).toBe('x');
  });

  it('lists and deletes only what is below the prefix', async () => {
    const store = createMemoryStore();
    const inside = withPrefix(store, 'main');
    for (const key of ['main', 'main-2/a', 'main/a', 'main/b/c', 'main/d', 'other/a'])
      await store.put(key, Buffer.from('x'));

    expect(await keysOf(inside.list(''))).toEqual(['a', 'b/c', 'd']);
    expect(await keysOf(inside.list('b'))).toEqual(['b/c']);
    expect(await keysOf(inside.list('', { startAfter: 'a' }))).toEqual(['b/c', 'd']);
    expect(await keysOf(inside.list('', { startAfter: 'b/c' }))).toEqual(['d']);
    await inside.delete(['a', 'd', 'missing']);
    expect(await keysOf(store.list(''))).toEqual(['main', 'main-2/a', 'main/b/c', 'other/a']);
  });

  it('names the prefix in its location', () => {
    expect(withPrefix(createMemoryStore(), '/a/b/').location).toBe('memory://a/b');
    expect(withPrefix({ ...createMemoryStore(), location: 's3://bucket' }, 'a').location).toBe('s3://bucket/a');
  });

  it('is the store itself when there is no prefix', () => {
    const store = createMemoryStore();
    expect(withPrefix(store, '')).toBe(store);
    expect(withPrefix(store, '/')).toBe(store);
  });

  it('hands options on', async () => {
    const inside = withPrefix(createMemoryStore(), 'main');
    await inside.put('a', Buffer.from('abc'));
    await expect(inside.put('a', Buffer.from('x'), { ifAbsent: true })).rejects.toThrow('exists already');
    expect((await joined((await inside.get('a', { range: { start: 1, end: 2 } })).body)).toString()).toBe('b');
    const signal = AbortSignal.abort(new Error('told to stop'));
    await expect(inside.head('a', { signal })).rejects.toThrow('told to stop');
    await expect(inside.delete(['a'], { signal })).rejects.toThrow('told to stop');
    await expect(keysOf(inside.list('', { signal }))).rejects.toThrow('told to stop');
  });
});

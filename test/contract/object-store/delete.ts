import pMap from 'p-map';
import { expect } from 'vitest';
import { NotFoundError } from '../../../src/errors.ts';
import { listKeys, readObject, type SpaceTest } from './store-space.ts';

export function describeDelete(it: SpaceTest): void {
  it('removes 1500 objects at once, and only those', { timeout: 180_000 }, async ({ space: { store } }) => {
    const keys = Array.from({ length: 1500 }, (_, index) => `folder-${index % 3}/${String(index).padStart(5, '0')}`);
    await pMap([...keys, 'folder-0x/stays', 'stays'], (key) => store.put(key, Buffer.from('x')), {
      concurrency: 24,
    });
    await store.delete(keys);
    expect(await listKeys(store)).toEqual(['folder-0x/stays', 'stays']);
  });

  it('does not mind keys that do not exist', async ({ space: { store } }) => {
    await store.put('here', Buffer.from('x'));
    await store.put('folder/there', Buffer.from('x'));
    await store.delete(['missing', 'here', 'missing/too', 'folder', 'here/below', 'here']);
    expect(await listKeys(store)).toEqual(['folder/there']);
    await store.delete(['here']);
  });

  it('does nothing for no keys', async ({ space: { store } }) => {
    await store.put('here', Buffer.from('x'));
    await store.delete([]);
    expect(await listKeys(store)).toEqual(['here']);
  });

  it('makes the key absent for every reader, so that it can be created again', async ({ space }) => {
    const { store } = space;
    const reader = space.otherHost ?? store;
    await store.put('folder/object', Buffer.from('first'), { ifAbsent: true });
    await store.delete(['folder/object']);
    await expect(reader.head('folder/object')).rejects.toThrow(NotFoundError);
    await expect(reader.get('folder/object')).rejects.toThrow(NotFoundError);
    await store.put('folder/object', Buffer.from('second'), { ifAbsent: true });
    expect((await readObject(space, 'folder/object')).toString()).toBe('second');
  });
}

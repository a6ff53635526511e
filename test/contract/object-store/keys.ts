import { expect } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { inByteOrder, listKeys, readObject, type SpaceTest, type StoreKind } from './store-space.ts';

const noKeys: Readonly<Record<string, string>> = {
  'nothing at all': '',
  'a leading slash': '/a',
  'a trailing slash': 'a/',
  'an empty part': 'a//b',
  'the part "."': 'a/./b',
  'the part ".."': 'a/../b',
  'a climb out of the store': '../a',
  'half of a surrogate pair': 'a\ud800b',
  'a NUL': 'a\0b',
  'a line feed': 'a\nb',
  '1025 bytes': `${'é'.repeat(512)}a`,
};

/** Characters that XML, URLs, file systems and shells treat in their own ways, and names that look like something else. */
const oddKeys: readonly string[] = [
  'odd/a b',
  'odd/ leading and trailing ',
  'odd/a+b',
  'odd/a%20b',
  'odd/100%',
  'odd/a=b&c=d',
  'odd/a?b#c',
  'odd/<a>&amp;"b\'c',
  'odd/a:b|c*d',
  'odd/a,b;c@d!e$f',
  'odd/(a)[b]{c}^`~',
  'odd/~a',
  'odd/.hidden',
  'odd/...',
  'odd/-rf',
  'odd/Ångström.ÜÖÄ',
  'odd/日本語',
  'odd/\u{1f40b}',
  'odd/\uffee',
  'odd/A',
  'odd/a',
];

type Call = (store: ObjectStore, key: string) => Promise<unknown>;

const calls: Readonly<Record<string, Call>> = {
  put: (store, key) => store.put(key, Buffer.from('x')),
  get: (store, key) => store.get(key),
  head: (store, key) => store.head(key),
  delete: (store, key) => store.delete(['a-good-one', key]),
};

export function describeKeys(it: SpaceTest, kind: StoreKind): void {
  for (const [what, key] of Object.entries(noKeys)) {
    it(`refuses a key with ${what} before anything is sent`, async ({ space }) => {
      // Sent to a place that does not exist, the call would end in a ConfigError.
      const store = space.missing ?? space.store;
      for (const call of Object.values(calls)) await expect(call(store, key)).rejects.toThrow(UsageError);
    });
  }

  it('refuses a prefix that no key can have', async ({ space }) => {
    const store = space.missing ?? space.store;
    for (const prefix of ['/', '/a', 'a//', '../', 'a/./']) {
      await expect(listKeys(store, prefix), prefix).rejects.toThrow(UsageError);
    }
  });

  it('leaves the other keys of a delete alone when one breaks the rules', async ({ space }) => {
    await space.store.put('a-good-one', Buffer.from('x'));
    await expect(space.store.delete(['a-good-one', '../x'])).rejects.toThrow(UsageError);
    expect(await listKeys(space.store)).toEqual(['a-good-one']);
  });

  it('takes keys of one byte and of 1024', async ({ space }) => {
    const longKey = `${'abcdefghij/'.repeat(93)}x`;
    expect(Buffer.byteLength(longKey)).toBe(1024);
    for (const key of ['k', longKey]) {
      await space.store.put(key, Buffer.from(key));
      expect((await readObject(space, key)).toString()).toBe(key);
    }
    expect(await listKeys(space.store)).toEqual(inByteOrder(['k', longKey]));
  });

  it('takes any character in a key, and tells keys apart that differ in case only', async ({ space }) => {
    const keys = kind.ordersAllPlanes ? oddKeys : oddKeys.filter((key) => !key.includes('\uffee'));
    for (const key of keys) await space.store.put(key, Buffer.from(key));
    for (const key of keys) {
      expect((await readObject(space, key)).toString()).toBe(key);
      expect(await listKeys(space.store, key), key).toContain(key);
    }
    expect(await listKeys(space.store)).toEqual(inByteOrder(keys));
    await space.store.delete(keys);
    expect(await listKeys(space.store)).toEqual([]);
  });

  it('has a location without secrets', async ({ space }) => {
    expect(space.store.location).toMatch(/^[a-z0-9]+:\/\//);
    for (const secret of space.secrets) expect(space.store.location).not.toContain(secret);
  });
}

import type { ListOptions, ObjectInfo, ObjectStore } from './object-store.ts';

/**
 * Everything below one prefix of a store, as a store of its own: callers and listings see the keys without it.
 *
 * @param prefix - whole parts, `wal/main`; slashes around it are ignored, and without any part the store itself is returned
 */
export function withPrefix(store: ObjectStore, prefix: string): ObjectStore {
  const parts = prefix.split('/').filter((part) => part !== '');
  if (parts.length === 0) return store;
  const folder = `${parts.join('/')}/`;
  const inside = <T extends ObjectInfo>(object: T): T => ({ ...object, key: object.key.slice(folder.length) });

  return {
    location: `${store.location.replace(/\/$/, '')}/${parts.join('/')}`,
    put: (key, body, options) => store.put(folder + key, body, options),
    get: async (key, options) => inside(await store.get(folder + key, options)),
    head: async (key, options) => inside(await store.head(folder + key, options)),
    list: (keyPrefix, options) => listInside(keyPrefix, options),
    delete: (keys, options) =>
      store.delete(
        keys.map((key) => folder + key),
        options,
      ),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };

  async function* listInside(keyPrefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    const startAfter = options.startAfter === undefined ? undefined : folder + options.startAfter;
    for await (const object of store.list(folder + keyPrefix, { ...options, startAfter })) yield inside(object);
  }
}

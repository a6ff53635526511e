import type { Codec } from '../codec/codec.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/**
 * One prefix in one store that holds WAL and backups in WAL-G's layout, with the way in which new objects are written.
 * Objects are read by the suffix of their key, whatever the codec here.
 */
export interface Repository extends AsyncDisposable {
  readonly store: ObjectStore;
  /** Compresses what we write. */
  readonly codec: Codec;
}

/** A repository on an open store; disposing of it closes the store. */
export function createRepository(store: ObjectStore, codec: Codec): Repository {
  return { store, codec, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

import type { Cipher } from '../codec/cipher.ts';
import type { Codec } from '../codec/codec.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** How the objects of a repository are kept secret. */
export interface RepositoryEncryption {
  /** Encrypts what we write, and is demanded of what we read; without it, objects are plain. */
  readonly cipher?: Cipher | undefined;
  /** Whether objects that are not encrypted are read although there is a cipher. */
  readonly allowPlain?: boolean | undefined;
}

/**
 * One prefix in one store that holds WAL and backups in WAL-G's layout, with the way in which new objects are written.
 * Objects are read by the suffix of their key, whatever the codec here.
 */
export interface Repository extends AsyncDisposable, RepositoryEncryption {
  readonly store: ObjectStore;
  /** Compresses what we write. */
  readonly codec: Codec;
  readonly allowPlain: boolean;
}

/** A repository on an open store; disposing of it closes the store. */
export function createRepository(
  store: ObjectStore,
  codec: Codec,
  { cipher, allowPlain = false }: RepositoryEncryption = {},
): Repository {
  return { store, codec, cipher, allowPlain, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

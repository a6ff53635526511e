import type { Context } from '../context.ts';
import { decodeObject } from '../repository/object-coding.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import { suffixOfKey } from './object-suffix.ts';

/** What to undo of how an object was stored. */
export interface Decoding {
  readonly decrypt: boolean;
  readonly decompress: boolean;
}

/**
 * Opens any object of a repository's store. Its decryption is that of the repository, its compression that of its suffix; JSON objects
 * are never encrypted.
 *
 * @throws {@link NotFoundError} when there is none of this key
 * @throws {@link IntegrityError} while reading, when it cannot be decoded
 */
export async function readObject(
  repository: Repository,
  key: string,
  { decrypt, decompress }: Decoding,
  context: Context,
): Promise<AsyncIterable<Uint8Array>> {
  const { body } = await repository.store.get(key, { signal: context.signal });
  const isDecrypted = decrypt && repository.cipher !== undefined && !key.endsWith('.json');
  const suffix = decompress ? suffixOfKey(key) : '';
  if (!isDecrypted && suffix === '') return body;
  const object = { name: nameOfObject(repository.store, key), suffix };
  return decodeObject(isDecrypted ? repository : { ...repository, cipher: undefined }, object, body);
}

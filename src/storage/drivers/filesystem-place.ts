import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { isTemporaryName } from '../../util/temporary-name.ts';
import { checkKey } from '../key.ts';

/** Where an object of a directory store lies. */
export interface FilePlace {
  /** The directory that is the store, an absolute path. */
  readonly root: string;
  readonly key: string;
  readonly path: string;
}

/**
 * The place of a key below the root.
 *
 * @throws {@link UsageError} for what is no key, and for the names of temporary files, which listings hide
 */
export function placeOf(root: string, key: string): FilePlace {
  checkKey(key);
  if (isTemporaryName(key))
    throw new UsageError(`not a key of a directory store: ${JSON.stringify(key)} is a temporary name`);
  return { root, key, path: join(root, key) };
}

import { readFile } from 'node:fs/promises';
import { ConfigError, describeError } from '../errors.ts';
import { Secret } from '../util/secret.ts';

/** Where a key comes from; the key itself wins over the file. */
export interface KeySource {
  readonly key?: Secret | undefined;
  /** Path of a file that holds the key. */
  readonly keyFile?: string | undefined;
}

/**
 * The bytes of a key. They are read once, at the moment of need.
 *
 * @param what - the key's name in messages: `libsodium key`
 * @throws {@link ConfigError} when there is none, or its file cannot be read
 */
export async function readKeyMaterial(source: KeySource, what: string): Promise<Secret<Buffer>> {
  if (source.key !== undefined) return new Secret(Buffer.from(source.key.reveal()));
  if (source.keyFile === undefined) {
    throw new ConfigError(`no ${what} is set`, { hint: 'Set the key, or the path of a file that holds it.' });
  }
  try {
    return new Secret(await readFile(source.keyFile));
  } catch (error) {
    throw new ConfigError(`cannot read the ${what} from ${source.keyFile}: ${describeError(error)}`, { cause: error });
  }
}

import { ConfigError } from '../../errors.ts';
import { Secret } from '../../util/secret.ts';
import { type KeySource, readKeyMaterial } from '../key-material.ts';

/** How the text of a key becomes its 32 bytes. */
export type LibsodiumKeyTransform = 'none' | 'hex' | 'base64';

const keySizeBytes = 32;

/** WAL-G takes no shorter text as a key. */
const shortestTextBytes = 25;

const hint = 'Make a key with "openssl rand -hex 32" and set the key transform to hex.';

/**
 * Reads the key. White space around it in a file is no part of it.
 *
 * @throws {@link ConfigError} when there is none, or it does not have the length that its transform demands
 */
export async function readLibsodiumKey(source: KeySource, transform: LibsodiumKeyTransform): Promise<Secret<Buffer>> {
  const material = (await readKeyMaterial(source, 'libsodium key')).reveal();
  const text = source.key === undefined ? material.toString().trim() : material.toString();
  return new Secret(transforms[transform](text));
}

const transforms: Readonly<Record<LibsodiumKeyTransform, (text: string) => Buffer>> = {
  none(text) {
    const bytes = Buffer.from(text);
    if (bytes.length < shortestTextBytes) {
      throw new ConfigError(`libsodium key has ${bytes.length} bytes, and needs at least ${shortestTextBytes}`, {
        hint,
      });
    }
    const key = Buffer.alloc(keySizeBytes);
    bytes.copy(key);
    return key;
  },

  hex(text) {
    const isHex = /^(?:[\da-f]{2})*$/i.test(text.trim());
    return decoded(isHex ? Buffer.from(text.trim(), 'hex') : undefined, 'hex');
  },

  base64(text) {
    const compact = text.replaceAll(/\s/g, '');
    const isBase64 = /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(compact) && !compact.includes('_');
    return decoded(isBase64 ? Buffer.from(compact, 'base64') : undefined, 'base64');
  },
};

function decoded(key: Buffer | undefined, transform: string): Buffer {
  if (key === undefined) throw new ConfigError(`libsodium key is not ${transform}`, { hint });
  if (key.length !== keySizeBytes) {
    throw new ConfigError(`libsodium key has ${key.length} bytes, and needs ${keySizeBytes}`, { hint });
  }
  return key;
}

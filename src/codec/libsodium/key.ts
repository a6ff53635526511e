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
 * Reads the key. White space around it in a file is no part of it. What the file holds need not be text: WAL-G takes its bytes as they are.
 *
 * @throws {@link ConfigError} when there is none, or it does not have the length that its transform demands
 */
export async function readLibsodiumKey(source: KeySource, transform: LibsodiumKeyTransform): Promise<Secret<Buffer>> {
  const material = (await readKeyMaterial(source, 'libsodium key')).reveal();
  return new Secret(transforms[transform](source.key === undefined ? trimmed(material) : material));
}

/** Without the white space at its ends, byte by byte: decoded as UTF-8, every other byte of a binary key would become the same character. */
function trimmed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/^[\t-\r ]+|[\t-\r ]+$/g, ''), 'latin1');
}

const transforms: Readonly<Record<LibsodiumKeyTransform, (bytes: Buffer) => Buffer>> = {
  none(bytes) {
    if (bytes.length < shortestTextBytes) {
      throw new ConfigError(`libsodium key has ${bytes.length} bytes, and needs at least ${shortestTextBytes}`, {
        hint,
      });
    }
    const key = Buffer.alloc(keySizeBytes);
    bytes.copy(key);
    return key;
  },

  hex(bytes) {
    const text = bytes.toString().trim();
    const isHex = /^(?:[\da-f]{2})*$/i.test(text);
    return decoded(isHex ? Buffer.from(text, 'hex') : undefined, 'hex');
  },

  base64(bytes) {
    const compact = bytes.toString().replaceAll(/\s/g, '');
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

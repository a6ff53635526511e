import { randomBytes } from 'node:crypto';
import { ConfigError, IntegrityError } from '../../errors.ts';
import { createByteReader } from '../../util/byte-reader.ts';
import { loadOnce } from '../../util/load-once.ts';
import type { Cipher } from '../cipher.ts';
import { type AwsKmsOptions, connectKms, type Kms } from './client.ts';
import { decryptDare, encryptDare } from './dare.ts';

const dataKeySizeBytes = 32;

/** What KMS makes of a data key of that size; WAL-G reads just so much at the beginning of each object. */
const wrappedKeySizeBytes = 184;

/** Data keys that are remembered after KMS has unwrapped them. Every process that writes brings one of its own. */
const rememberedKeys = 1000;

/**
 * Encryption below a key of AWS KMS: a data key of our own making, wrapped by KMS, stands at the beginning of each object; then comes
 * what it encrypts, as DARE 2.0. One call to KMS for all that a process writes, and one for each data key that it reads.
 */
export function awsKmsCipher(options: AwsKmsOptions): Cipher {
  const connect = loadOnce(() => connectKms(options));
  const makeDataKey = loadOnce(async () => await wrapNewKey(await connect()));
  const unwrapped = new Map<string, Promise<Buffer>>();

  const unwrap = async (wrapped: Uint8Array): Promise<Buffer> => {
    const id = Buffer.from(wrapped).toString('base64');
    const known = unwrapped.get(id);
    if (known !== undefined) return await known;
    const [oldest] = unwrapped.size < rememberedKeys ? [] : unwrapped.keys();
    if (oldest !== undefined) unwrapped.delete(oldest);
    const asked = connect().then((kms) => unwrapKey(kms, wrapped));
    unwrapped.set(id, asked);
    try {
      return await asked;
    } catch (error) {
      unwrapped.delete(id);
      throw error;
    }
  };

  return {
    name: 'aws-kms',

    async *encrypt(source) {
      const { key, wrapped } = await makeDataKey();
      yield wrapped;
      yield* encryptDare(source, key);
    },

    async *decrypt(source) {
      await using reader = createByteReader(source);
      const wrapped = await reader.read(wrappedKeySizeBytes);
      if (wrapped.length < wrappedKeySizeBytes)
        throw new IntegrityError('object is cut off within its wrapped data key');
      yield* decryptDare(reader.rest(), await unwrap(wrapped));
    },
  };
}

interface DataKey {
  readonly key: Buffer;
  readonly wrapped: Uint8Array;
}

async function wrapNewKey(kms: Kms): Promise<DataKey> {
  const key = randomBytes(dataKeySizeBytes);
  const wrapped = await kms.wrap(key);
  if (wrapped.length !== wrappedKeySizeBytes) {
    throw new ConfigError(`AWS KMS wrapped the data key in ${wrapped.length} bytes instead of ${wrappedKeySizeBytes}`, {
      hint: 'Use a symmetric key of AWS KMS itself: the format of the objects has no room for other sizes.',
    });
  }
  return { key, wrapped };
}

async function unwrapKey(kms: Kms, wrapped: Uint8Array): Promise<Buffer> {
  const key = await kms.unwrap(wrapped);
  if (key.length !== dataKeySizeBytes) {
    throw new IntegrityError(`data key of the object has ${key.length} bytes instead of ${dataKeySizeBytes}`);
  }
  return key;
}

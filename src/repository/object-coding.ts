import type { Cipher } from '../codec/cipher.ts';
import type { Codec } from '../codec/codec.ts';
import { codecForSuffix } from '../codec/codecs.ts';
import { beginningSizeBytes, looksPlain, type RecognisedCipher, recogniseCipher } from '../codec/recognise.ts';
import { ConfigError, describeError, IntegrityError } from '../errors.ts';
import { type Rereadable, rereadable } from '../util/rereadable.ts';
import type { Repository } from './repository.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** An object as messages name it, and the suffix that tells how it is compressed. */
export interface NamedObject {
  /** `s3://bucket/prefix/wal_005/…` */
  readonly name: string;
  /** `zst`; empty for what is not compressed. */
  readonly suffix: string;
}

/**
 * The body of a new object: compressed, then encrypted, as the repository is set. Every WAL file, every part of a backup and its
 * manifest pass here. The JSON objects of a backup do not: WAL-G wants them plain.
 *
 * @param codec - another one than the repository's
 */
export function encodeObject(repository: Repository, plain: Bytes, codec: Codec = repository.codec): Bytes {
  const compressed = codec.encode(plain);
  return repository.cipher?.encrypt(compressed) ?? compressed;
}

/**
 * The plain bytes of a stored object. Where the repository has a cipher, an object that is not encrypted is refused, unless the
 * repository allows it.
 *
 * @throws {@link ConfigError} at once, when nothing here reads its compression; while reading, when it is encrypted and the repository
 *   has no cipher
 * @throws {@link IntegrityError} that names the object, while reading: it is damaged, encrypted for another key, or not encrypted
 */
export function decodeObject(repository: Repository, object: NamedObject, body: Bytes): AsyncGenerator<Uint8Array> {
  return decode(repository, object, requireReadable(object), body);
}

/** What reads such an object. @throws {@link ConfigError} when nothing here does */
export function requireReadable(object: NamedObject): Codec {
  try {
    const codec = codecForSuffix(object.suffix);
    if (codec !== undefined) return codec;
  } catch (error) {
    throw ofObject(object, error, damagedHint);
  }
  throw new ConfigError(`cannot read ${object.name}: no compression goes by .${object.suffix}`);
}

async function* decode(
  repository: Repository,
  object: NamedObject,
  codec: Codec,
  body: Bytes,
): AsyncGenerator<Uint8Array> {
  await using source = rereadable(body);
  let hint = damagedHint;
  try {
    if (repository.cipher === undefined) {
      if (!(await isPlain(object, source))) hint = perhapsEncryptedHint;
      const chunks = source.chunks();
      source.letGo();
      yield* codec.decode(chunks);
    } else {
      yield* codec.decode(decrypted(repository.cipher, repository.allowPlain, object, source));
    }
  } catch (error) {
    throw ofObject(object, error, hint);
  }
}

/** Codecs and ciphers do not know the object that they read. Failures of the store, and of KMS, stay as they are. */
function ofObject({ name }: NamedObject, error: unknown, hint: string): unknown {
  const message = `cannot read ${name}: ${describeError(error)}`;
  if (error instanceof IntegrityError) return new IntegrityError(message, { cause: error, hint: error.hint ?? hint });
  if (!(error instanceof ConfigError)) return error;
  return new ConfigError(message, { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) });
}

const damagedHint =
  'The object is damaged: bring it back from another copy. A WAL file that the server still has may be removed; it is stored again.';
const perhapsEncryptedHint =
  'It is damaged from its very beginning, or it is encrypted: then set its key, for example SEAWALL_LIBSODIUM_KEY_FILE.';

/** @throws {@link ConfigError} when the object bears the mark of a cipher */
async function isPlain({ suffix }: NamedObject, source: Rereadable): Promise<boolean> {
  const beginning = await source.beginning(beginningSizeBytes);
  const cipherName = recogniseCipher(beginning);
  if (cipherName === undefined) return looksPlain(suffix, beginning);
  throw new ConfigError(`it is encrypted (${cipherName}), and no encryption is configured`, {
    hint: keyHints[cipherName],
  });
}

const yandexHint = 'Seawall cannot ask Yandex KMS for its key: read it with WAL-G.';
const keyHints: Readonly<Record<RecognisedCipher, string>> = {
  openpgp: 'Set the private key of one of its recipients, for example by SEAWALL_OPENPGP_KEY_FILE.',
  'aws-kms': 'Set the key of AWS KMS by SEAWALL_AWS_KMS_KEY_ID.',
  'yandex-kms': yandexHint,
  'envelope-pgp': yandexHint,
};

/**
 * What was encrypted, and also what never was, if that is allowed. Only what cannot be decrypted is taken for plain: the first bytes of an
 * encrypted object are as good as random, and may look like anything.
 */
async function* decrypted(
  cipher: Cipher,
  allowPlain: boolean,
  { suffix }: NamedObject,
  source: Rereadable,
): AsyncGenerator<Uint8Array> {
  const plain = cipher.decrypt(source.chunks())[Symbol.asyncIterator]();
  try {
    let result: IteratorResult<Uint8Array>;
    try {
      result = await plain.next();
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      if (!looksPlain(suffix, await source.beginning(beginningSizeBytes))) throw error;
      if (!allowPlain) throw notEncrypted();
      const chunks = source.chunks();
      source.letGo();
      yield* chunks;
      return;
    }
    source.letGo();
    for (; result.done !== true; result = await plain.next()) yield result.value;
  } finally {
    await plain.return?.();
  }
}

function notEncrypted(): IntegrityError {
  return new IntegrityError('it is not encrypted, and encryption is configured', {
    hint: 'Find out who stored it. If it is from before encryption was switched on, set allowUnencrypted while you need it.',
  });
}

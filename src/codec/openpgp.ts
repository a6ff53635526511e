import { ReadableStream } from 'node:stream/web';
import { IntegrityError } from '../errors.ts';
import { loadLibrary } from '../util/load-library.ts';
import { loadOnce } from '../util/load-once.ts';
import type { Secret } from '../util/secret.ts';
import type { Cipher } from './cipher.ts';
import type { KeySource } from './key-material.ts';
import { readOpenpgpKeys, recipients, unlockedKeys } from './openpgp-keys.ts';
import { orDamaged, trackSource } from './tracked-source.ts';

type Library = typeof import('openpgp');
type PrivateKey = import('openpgp').PrivateKey;

/** The public keys of all recipients suffice for writing; reading needs the private key of one. */
export interface OpenpgpOptions extends KeySource {
  /** Of the private key; none when it is not locked. */
  readonly passphrase?: Secret | undefined;
}

/**
 * What the library may hand out before it has seen the end of a message, whose checksum (MDC) covers it all: without this, it would
 * collect the whole message in memory first.
 */
const streaming = { allowUnauthenticatedStream: true };

/** A message for a key that its writer does not name. */
const anyKeyId = '0000000000000000';

/**
 * OpenPGP messages, binary, not signed, not compressed, with a modification detection code (SEIPD version 1). That code stands at the
 * end: bytes handed out before may have been tampered with, and the error then comes after them.
 *
 * @see RFC 9580, sections 5.13.1 (SEIPD 1), 5.9 (literal data)
 */
export function openpgpCipher({ passphrase, ...source }: OpenpgpOptions): Cipher {
  const openLibrary = loadOnce(() => loadLibrary('openpgp', () => import('openpgp')));
  const openKeys = loadOnce(async () => await readOpenpgpKeys(await openLibrary(), source));
  const openRecipients = loadOnce(async () => await recipients(await openKeys()));
  const openPrivateKeys = loadOnce(async () => await unlockedKeys(await openLibrary(), await openKeys(), passphrase));

  return {
    name: 'openpgp',

    async *encrypt(plain) {
      const openpgp = await openLibrary();
      const encryptionKeys = await openRecipients();
      // Without the mode of a newer message format, which the recipients' preferences may ask for and WAL-G may not read.
      const { data, algorithm } = await openpgp.generateSessionKey({ encryptionKeys });
      const sessionKey = { data, algorithm };
      const config = { preferredCompressionAlgorithm: openpgp.enums.compression.uncompressed };
      const binary = ReadableStream.from(plain);
      const message = await openpgp.createMessage({ binary, format: 'binary', date: new Date(0) });
      yield* await openpgp.encrypt({ message, encryptionKeys, sessionKey, format: 'binary', config });
    },

    async *decrypt(stored) {
      const openpgp = await openLibrary();
      const decryptionKeys = await openPrivateKeys();
      const tracked = trackSource(stored);
      try {
        yield* orDamaged(decrypt(openpgp, tracked, decryptionKeys), tracked, 'OpenPGP data is damaged or truncated');
      } finally {
        await tracked.close();
      }
    },
  };
}

async function* decrypt(
  openpgp: Library,
  source: AsyncIterable<Uint8Array>,
  decryptionKeys: PrivateKey[],
): AsyncGenerator<Uint8Array> {
  const message = await openpgp.readMessage({ binaryMessage: ReadableStream.from(source), config: streaming });
  const keyIds = message.getEncryptionKeyIDs();
  const isForUs = keyIds.some(
    (id) => id.toHex() === anyKeyId || decryptionKeys.some((key) => key.getKeys(id).length > 0),
  );
  if (!isForUs && keyIds.length > 0) {
    throw new IntegrityError('wrong OpenPGP key', {
      hint: `Set the private key of one of the recipients: ${keyIds.map((id) => id.toHex()).join(', ')}.`,
    });
  }
  const { data } = await openpgp.decrypt({ message, decryptionKeys, format: 'binary', config: streaming });
  yield* data;
}

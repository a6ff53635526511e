import { ReadableStream } from 'node:stream/web';
import { IntegrityError } from '../../errors.ts';
import { createByteReader } from '../../util/byte-reader.ts';
import { loadLibrary } from '../../util/load-library.ts';
import { loadOnce } from '../../util/load-once.ts';
import type { Secret } from '../../util/secret.ts';
import type { Cipher } from '../cipher.ts';
import type { KeySource } from '../key-material.ts';
import { readOpenpgpKeys, readPassphrase, recipients, unlockedKeys } from './keys.ts';
import { decryptProtected, literalContent } from './message.ts';
import { packetTags, readPackets } from './packets.ts';
import { collectSessionKeys } from './session-key.ts';

type Library = typeof import('openpgp');
type PrivateKey = import('openpgp').PrivateKey;

/** The public keys of all recipients suffice for writing; reading needs the private key of one. */
export interface OpenpgpOptions extends KeySource {
  /** Of the private key; none when it is not locked. */
  readonly passphrase?: Secret | undefined;
  /** Path of a file that holds it; a line break at its end is no part of it. */
  readonly passphraseFile?: string | undefined;
}

/**
 * OpenPGP messages, binary, not signed, not compressed, with a modification detection code (SEIPD version 1). That code stands at the
 * end: bytes handed out before may have been tampered with, and the error then comes after them.
 *
 * Messages that others wrote are read when they are encrypted in the same way; they may be compressed.
 *
 * @see RFC 9580, sections 5.9 (literal data), 5.13.1 (SEIPD 1), 10.3 (messages)
 */
export function openpgpCipher({ passphrase, passphraseFile, ...source }: OpenpgpOptions): Cipher {
  const openLibrary = loadOnce(() => loadLibrary('openpgp', () => import('openpgp')));
  const openKeys = loadOnce(async () => await readOpenpgpKeys(await openLibrary(), source));
  const openRecipients = loadOnce(async () => await recipients(await openKeys()));
  const openPrivateKeys = loadOnce(async () => {
    const unlocking = await readPassphrase({ key: passphrase, keyFile: passphraseFile });
    return await unlockedKeys(await openLibrary(), await openKeys(), unlocking);
  });

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
      yield* decrypt(await openLibrary(), stored, await openPrivateKeys());
    },
  };
}

/**
 * The library is asked for the session key only. Left to decrypt the message, it would collect all of it in memory, or else, told
 * to stream it, wait for ever on some that were tampered with.
 */
async function* decrypt(
  openpgp: Library,
  source: AsyncIterable<Uint8Array>,
  decryptionKeys: PrivateKey[],
): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(source);
  const sessionKeys = collectSessionKeys(openpgp);
  let hasData = false;
  for await (const { tag, body } of readPackets(reader)) {
    if (hasData) throw new IntegrityError('OpenPGP data is followed by something else');
    if (tag === packetTags.sessionKey) {
      await sessionKeys.add(body);
    } else if (tag === packetTags.protected) {
      hasData = true;
      yield* literalContent(decryptProtected(body, await sessionKeys.open(decryptionKeys)));
    } else if (besides.includes(tag)) {
      for await (const _ of body);
    } else if (tag === packetTags.unprotected) {
      throw new IntegrityError('OpenPGP data is encrypted without protection against changes');
    } else {
      throw new IntegrityError('OpenPGP data is damaged, or not encrypted');
    }
  }
  if (!hasData) throw new IntegrityError('OpenPGP data is truncated');
}

const besides: readonly number[] = [packetTags.passwordSessionKey, packetTags.marker, packetTags.padding];

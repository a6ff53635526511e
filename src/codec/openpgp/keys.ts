import { ConfigError, describeError } from '../../errors.ts';
import { Secret } from '../../util/secret.ts';
import { type KeySource, readKeyMaterial } from '../key-material.ts';

type Library = typeof import('openpgp');
type Key = import('openpgp').Key;
type PublicKey = import('openpgp').PublicKey;
type PrivateKey = import('openpgp').PrivateKey;

/** One block of ASCII armor; a file may hold several, one for each recipient. */
const armorPattern = /-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----[\s\S]*?-----END PGP \1 KEY BLOCK-----/g;

/** The first bit of every binary packet. */
const packetBit = 0x80;

/**
 * Reads the keys, public or private, binary or armored. In a variable, where lines cannot be broken, `\n` stands for a line break.
 *
 * @throws {@link ConfigError} when there is none
 */
export async function readOpenpgpKeys(openpgp: Library, source: KeySource): Promise<readonly Key[]> {
  const material = (await readKeyMaterial(source, 'OpenPGP key')).reveal();
  try {
    if (((material[0] ?? 0) & packetBit) !== 0) return await openpgp.readKeys({ binaryKeys: new Uint8Array(material) });
    const blocks = material.toString().replaceAll('\\n', '\n').match(armorPattern) ?? [];
    const keys = await Promise.all(blocks.map((armoredKeys) => openpgp.readKeys({ armoredKeys })));
    if (keys.length === 0) throw new Error('it is neither armored nor binary');
    return keys.flat();
  } catch (error) {
    throw new ConfigError(`cannot read the OpenPGP key: ${describeError(error)}`, {
      cause: error,
      hint: "Export it with 'gpg --export --armor', or 'gpg --export-secret-keys --armor' for decrypting.",
    });
  }
}

/** The passphrase of the private key, where one is set. @throws {@link ConfigError} when its file cannot be read */
export async function readPassphrase(source: KeySource): Promise<Secret | undefined> {
  if (source.key !== undefined || source.keyFile === undefined) return source.key;
  const material = await readKeyMaterial(source, 'OpenPGP passphrase');
  return new Secret(
    material
      .reveal()
      .toString()
      .replace(/\r?\n$/, ''),
  );
}

/**
 * The keys to encrypt for: all of them.
 *
 * @throws {@link ConfigError} when one of them is expired, revoked or not made for encryption
 */
export async function recipients(keys: readonly Key[]): Promise<PublicKey[]> {
  for (const key of keys) {
    try {
      await key.getEncryptionKey();
    } catch (error) {
      throw new ConfigError(`cannot encrypt for the OpenPGP key ${key.getKeyID().toHex()}: ${describeError(error)}`, {
        cause: error,
        hint: 'Prolong the key, or set another one.',
      });
    }
  }
  return keys.map((key) => key.toPublic());
}

/**
 * The private keys among them, unlocked by the passphrase where they are locked.
 *
 * @throws {@link ConfigError} when there is none, or the passphrase unlocks none
 */
export async function unlockedKeys(
  openpgp: Library,
  keys: readonly Key[],
  passphrase: Secret | undefined,
): Promise<PrivateKey[]> {
  const privateKeys = keys.filter((key) => key.isPrivate());
  if (privateKeys.length === 0) {
    throw new ConfigError('cannot decrypt: the OpenPGP key has no private part', {
      hint: 'For reading, set the private key and its passphrase.',
    });
  }
  const unlocked: PrivateKey[] = [];
  let failure: unknown;
  for (const privateKey of privateKeys) {
    try {
      unlocked.push(await unlock(openpgp, privateKey, passphrase));
    } catch (error) {
      failure = error;
    }
  }
  if (unlocked.length === 0) {
    throw new ConfigError(`cannot unlock the OpenPGP private key: ${describeError(failure)}`, {
      cause: failure,
      hint: 'Set the passphrase that the key was exported with.',
    });
  }
  return unlocked;
}

async function unlock(openpgp: Library, privateKey: PrivateKey, passphrase: Secret | undefined): Promise<PrivateKey> {
  if (privateKey.isDecrypted()) return privateKey;
  if (passphrase === undefined) throw new Error('it is locked, and no passphrase is set');
  return await openpgp.decryptKey({ privateKey, passphrase: passphrase.reveal() });
}

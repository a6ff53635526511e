import type { LibsodiumKeyTransform } from '../codec/libsodium/key.ts';
import type { Secret } from '../util/secret.ts';
import { choice, type Setting, secret, text, toggle } from './setting.ts';

/** The part of the settings that says how objects are kept secret. */
export interface EncryptionSettings {
  readonly encryption: 'auto' | 'none' | 'libsodium' | 'openpgp' | 'aws-kms';
  readonly allowUnencrypted: boolean;
  readonly libsodiumKey: Secret | undefined;
  readonly libsodiumKeyFile: string | undefined;
  readonly libsodiumKeyTransform: LibsodiumKeyTransform;
  readonly openpgpKey: Secret | undefined;
  readonly openpgpKeyFile: string | undefined;
  readonly openpgpPassphrase: Secret | undefined;
  readonly openpgpPassphraseFile: string | undefined;
  readonly awsKmsKeyId: string | undefined;
  readonly awsKmsRegion: string | undefined;
  readonly awsKmsEndpoint: string | undefined;
}

/** The rows behind {@link EncryptionSettings}. A key comes by variable, configuration file or a file of its own; it has no flag. */
export const encryptionSettings: { readonly [Name in keyof EncryptionSettings]: Setting<EncryptionSettings[Name]> } = {
  encryption: choice(['auto', 'none', 'libsodium', 'openpgp', 'aws-kms'], {
    default: 'auto',
    doc: 'How objects are encrypted. auto: by the kind of key that is set below, and not at all without one.',
  }),
  allowUnencrypted: toggle({
    default: false,
    doc: 'Whether objects that are not encrypted are read where encryption is on. New ones are encrypted all the same.',
  }),
  libsodiumKey: secret({
    placeholder: '<key>',
    aliases: ['WALG_LIBSODIUM_KEY'],
    doc: 'The key of libsodium, 32 bytes.',
  }),
  libsodiumKeyFile: text({
    placeholder: '<path>',
    default: undefined,
    aliases: ['WALG_LIBSODIUM_KEY_PATH', 'WALG_LIBSODIUM_KEY_FILE'],
    doc: 'A file that holds it.',
  }),
  libsodiumKeyTransform: choice(['none', 'hex', 'base64'], {
    default: 'none',
    aliases: ['WALG_LIBSODIUM_KEY_TRANSFORM'],
    doc: 'How the key is written. none: a text of at least 25 bytes, cut off or filled up with zeros to 32.',
  }),
  openpgpKey: secret({
    placeholder: '<key>',
    aliases: ['WALG_PGP_KEY'],
    doc: 'The OpenPGP keys, armored; \\n stands for a line break. Public keys of all recipients serve for writing, the private key of one of them for reading too.',
  }),
  openpgpKeyFile: text({
    placeholder: '<path>',
    default: undefined,
    aliases: ['WALG_PGP_KEY_PATH', 'WALG_PGP_KEY_FILE'],
    doc: 'A file that holds them, armored or binary.',
  }),
  openpgpPassphrase: secret({
    placeholder: '<passphrase>',
    aliases: ['WALG_PGP_KEY_PASSPHRASE'],
    doc: 'Passphrase of the private key.',
  }),
  openpgpPassphraseFile: text({
    placeholder: '<path>',
    default: undefined,
    aliases: ['WALG_PGP_KEY_PASSPHRASE_FILE'],
    doc: 'A file that holds it.',
  }),
  awsKmsKeyId: text({
    placeholder: '<key>',
    default: undefined,
    aliases: ['WALG_CSE_KMS_ID'],
    doc: 'Id, ARN or alias of the symmetric key of AWS KMS that wraps the data keys.',
  }),
  awsKmsRegion: text({
    placeholder: '<region>',
    default: undefined,
    aliases: ['WALG_CSE_KMS_REGION'],
    doc: 'Its region, unless that is in the ARN or is the region that AWS_REGION names.',
  }),
  awsKmsEndpoint: text({
    placeholder: '<url>',
    default: undefined,
    aliases: ['AWS_ENDPOINT_URL_KMS'],
    doc: 'Endpoint of a KMS other than that of AWS.',
  }),
};

/** Those of them that are no secret: they may stand on a command line. */
export const openEncryptionSettings: readonly (keyof EncryptionSettings)[] = (
  Object.keys(encryptionSettings) as (keyof EncryptionSettings)[]
).filter((name) => encryptionSettings[name].isSecret !== true);

const keyringHint =
  'Write the key to a file by "gpg --export --armor", or by "gpg --export-secret-keys --armor" for reading too, and name that in SEAWALL_OPENPGP_KEY_FILE.';
const yandexHint = 'Set a key of libsodium, OpenPGP or AWS KMS; what this one has encrypted, only WAL-G can read.';

/** WAL-G's names of keys that we cannot use, with what to do instead. */
export const foreignKeyNames: Readonly<Record<string, string>> = {
  GPG_KEY_ID: keyringHint,
  WALG_GPG_KEY_ID: keyringHint,
  WALE_GPG_KEY_ID: keyringHint,
  YC_CSE_KMS_KEY_ID: yandexHint,
  WALG_ENVELOPE_PGP_KEY: yandexHint,
  WALG_ENVELOPE_PGP_KEY_PATH: yandexHint,
};

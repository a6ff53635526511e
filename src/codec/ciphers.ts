import { ConfigError } from '../errors.ts';
import { awsKmsCipher } from './aws-kms/aws-kms.ts';
import type { AwsKmsOptions } from './aws-kms/client.ts';
import type { Cipher } from './cipher.ts';
import { type LibsodiumOptions, libsodiumCipher } from './libsodium/libsodium.ts';
import { type OpenpgpOptions, openpgpCipher } from './openpgp/openpgp.ts';

/** What each cipher has to know. */
export interface CipherOptions {
  readonly libsodium: LibsodiumOptions;
  readonly openpgp: OpenpgpOptions;
  readonly 'aws-kms': AwsKmsOptions;
}

/** What objects can be encrypted with. */
export type CipherName = keyof CipherOptions;

/** Every cipher. A new one is one file and its row here. */
const rows: { readonly [Name in CipherName]: (options: CipherOptions[Name]) => Cipher } = {
  libsodium: libsodiumCipher,
  openpgp: openpgpCipher,
  'aws-kms': awsKmsCipher,
};

export const cipherNames: readonly CipherName[] = Object.keys(rows) as CipherName[];

/**
 * The cipher of this name. Libraries are loaded and keys are read when it is first used, and a wrong setting shows itself then.
 *
 * @throws {@link ConfigError} when there is no such cipher
 */
export function createCipher<Name extends CipherName>(name: Name, options: CipherOptions[Name]): Cipher {
  if (!Object.hasOwn(rows, name)) throw new ConfigError(`encryption ${name} is not supported`);
  return rows[name](options);
}

import type { Cipher } from '../codec/cipher.ts';
import type { CipherName, CipherOptions } from '../codec/ciphers.ts';
import { type EncryptionSettings, foreignKeyNames } from '../config/encryption-settings.ts';
import { settingsTable, variableOf } from '../config/settings.ts';
import { ConfigError } from '../errors.ts';
import type { Environment } from '../storage/environment.ts';

/** By which of the settings each cipher is chosen where `encryption` leaves it open. */
const keySettings = {
  libsodium: ['libsodiumKey', 'libsodiumKeyFile'],
  openpgp: ['openpgpKey', 'openpgpKeyFile'],
  'aws-kms': ['awsKmsKeyId'],
} as const satisfies Readonly<Record<CipherName, readonly (keyof EncryptionSettings)[]>>;

const cipherNames = Object.keys(keySettings) as CipherName[];

/**
 * The cipher that the settings ask for; undefined for none. Its key is read when it is first needed.
 *
 * @throws {@link ConfigError} when keys of two kinds are set, when the key of the chosen kind is not, and when there is one that only WAL-G
 *   can use
 */
export async function openCipher(settings: EncryptionSettings, environment: Environment): Promise<Cipher | undefined> {
  const name = chooseCipher(settings, environment);
  if (name === undefined) return undefined;
  const { createCipher } = await import('../codec/ciphers.ts');
  return createCipher(name, optionsOf(settings, environment)[name]);
}

function chooseCipher(settings: EncryptionSettings, environment: Environment): CipherName | undefined {
  const { encryption } = settings;
  if (encryption === 'none') return undefined;
  if (encryption !== 'auto') {
    if (!hasKey(settings, encryption)) throw keyMissing(encryption);
    return encryption;
  }
  const [name, other] = cipherNames.filter((candidate) => hasKey(settings, candidate));
  if (name !== undefined && other !== undefined) {
    const [first, second] = [name, other].map((each) => `${each} by ${originOf(settings, each, environment)}`);
    throw new ConfigError(`two kinds of encryption are set: ${first}, ${second}`, {
      hint: 'Take one of them away, or say which one counts: encryption (SEAWALL_ENCRYPTION).',
    });
  }
  if (name !== 'openpgp') refuseForeignKeys(environment);
  return name;
}

function hasKey(settings: EncryptionSettings, cipher: CipherName): boolean {
  return keySettings[cipher].some((name) => settings[name] !== undefined);
}

function keyMissing(cipher: CipherName): ConfigError {
  const names = keySettings[cipher].map((name) => `${name} (${variableOf(name)})`);
  return new ConfigError(`encryption is ${cipher}, and its key is not set`, { hint: `Set ${names.join(' or ')}.` });
}

/** The variable that sets the key, or the setting when it comes from elsewhere. */
function originOf(settings: EncryptionSettings, cipher: CipherName, environment: Environment): string {
  const names = keySettings[cipher].filter((name) => settings[name] !== undefined);
  const variables = names.flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]);
  return variables.find((variable) => environment[variable]) ?? names.join();
}

/** Whoever sets a key that only WAL-G can use expects encryption. */
function refuseForeignKeys(environment: Environment): void {
  for (const [variable, hint] of Object.entries(foreignKeyNames)) {
    if (!environment[variable]) continue;
    throw new ConfigError(`WAL-G's setting ${variable} is not supported`, {
      hint: `${hint} To go on without encryption, set SEAWALL_ENCRYPTION=none.`,
    });
  }
}

function optionsOf(settings: EncryptionSettings, environment: Environment): CipherOptions {
  return {
    libsodium: {
      key: settings.libsodiumKey,
      keyFile: settings.libsodiumKeyFile,
      keyTransform: settings.libsodiumKeyTransform,
    },
    openpgp: {
      key: settings.openpgpKey,
      keyFile: settings.openpgpKeyFile,
      passphrase: settings.openpgpPassphrase,
      passphraseFile: settings.openpgpPassphraseFile,
    },
    'aws-kms': {
      keyId: settings.awsKmsKeyId ?? '',
      region: settings.awsKmsRegion,
      endpoint: settings.awsKmsEndpoint,
      environment,
    },
  };
}

import { describe, expect, it } from 'vitest';
import { openCipher } from '../../src/cli/open-cipher.ts';
import { resolveSettings } from '../../src/config/resolve.ts';
import { ConfigError } from '../../src/errors.ts';

const open = (environment: Record<string, string>, values: Record<string, string> = {}) =>
  openCipher(resolveSettings({ flags: {}, environment, file: { path: '/c.yaml', values } }).values, environment);

describe('openCipher', () => {
  it('encrypts nothing unless a key is set', async () => {
    expect(await open({})).toBeUndefined();
    expect(
      await open({ SEAWALL_LIBSODIUM_KEY_TRANSFORM: 'hex', SEAWALL_AWS_KMS_REGION: 'eu-north-1' }),
    ).toBeUndefined();
  });

  it.each([
    ['SEAWALL_LIBSODIUM_KEY', 'libsodium'],
    ['SEAWALL_LIBSODIUM_KEY_FILE', 'libsodium'],
    ['WALG_LIBSODIUM_KEY', 'libsodium'],
    ['WALG_LIBSODIUM_KEY_PATH', 'libsodium'],
    ['SEAWALL_OPENPGP_KEY', 'openpgp'],
    ['SEAWALL_OPENPGP_KEY_FILE', 'openpgp'],
    ['WALG_PGP_KEY', 'openpgp'],
    ['WALG_PGP_KEY_PATH', 'openpgp'],
    ['SEAWALL_AWS_KMS_KEY_ID', 'aws-kms'],
    ['WALG_CSE_KMS_ID', 'aws-kms'],
  ])('chooses the cipher by its key: %s gives %s', async (variable, name) => {
    expect((await open({ [variable]: 'x' }))?.name).toBe(name);
  });

  it('takes keys from the configuration file', async () => {
    expect((await open({}, { libsodiumKey: 'x' }))?.name).toBe('libsodium');
  });

  it('refuses keys of two kinds, naming both, unless told which one counts', async () => {
    const both = { WALG_PGP_KEY_PATH: '/key.gpg', SEAWALL_LIBSODIUM_KEY: 'c0nfidential' };
    await expect(open(both)).rejects.toThrow(
      'two kinds of encryption are set: libsodium by SEAWALL_LIBSODIUM_KEY, openpgp by WALG_PGP_KEY_PATH',
    );
    await expect(open({ WALG_CSE_KMS_ID: 'x' }, { libsodiumKeyFile: '/key' })).rejects.toThrow(
      'two kinds of encryption are set: libsodium by libsodiumKeyFile, aws-kms by WALG_CSE_KMS_ID',
    );
    expect((await open({ ...both, SEAWALL_ENCRYPTION: 'openpgp' }))?.name).toBe('openpgp');
    expect(await open({ ...both, SEAWALL_ENCRYPTION: 'none' })).toBeUndefined();
  });

  it('refuses a cipher whose key is not set', async () => {
    const failure = open({ SEAWALL_ENCRYPTION: 'libsodium', WALG_PGP_KEY: 'x' });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toMatchObject({
      message: 'encryption is libsodium, and its key is not set',
      hint: 'Set libsodiumKey (SEAWALL_LIBSODIUM_KEY) or libsodiumKeyFile (SEAWALL_LIBSODIUM_KEY_FILE).',
    });
  });

  it.each(['WALG_GPG_KEY_ID', 'GPG_KEY_ID', 'YC_CSE_KMS_KEY_ID', 'WALG_ENVELOPE_PGP_KEY_PATH'])(
    'goes on without encryption in the face of %s only when told so',
    async (variable) => {
      await expect(open({ [variable]: 'x' })).rejects.toThrow(ConfigError);
      await expect(open({ [variable]: 'x' })).rejects.toThrow(`WAL-G's setting ${variable} is not supported`);
      expect(await open({ [variable]: 'x', SEAWALL_ENCRYPTION: 'none' })).toBeUndefined();
    },
  );
});

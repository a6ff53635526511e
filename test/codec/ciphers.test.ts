import { describe, expect, it } from 'vitest';
import { type CipherName, cipherNames, createCipher } from '../../src/codec/ciphers.ts';
import { ConfigError } from '../../src/errors.ts';

describe('createCipher', () => {
  it('makes the cipher of each name, and reads no key yet', () => {
    expect(createCipher('libsodium', {}).name).toBe('libsodium');
    expect(createCipher('openpgp', { keyFile: '/nowhere' }).name).toBe('openpgp');
    expect(createCipher('aws-kms', { keyId: '', environment: {} }).name).toBe('aws-kms');
    expect(cipherNames).toEqual(['libsodium', 'openpgp', 'aws-kms']);
  });

  it('refuses a cipher that does not exist', () => {
    expect(() => createCipher('rot13' as CipherName, {} as never)).toThrow(ConfigError);
  });
});

import { randomBytes } from 'node:crypto';
import { generateKey } from 'openpgp';
import type { Cipher } from '../../src/codec/cipher.ts';
import { type CipherName, createCipher } from '../../src/codec/ciphers.ts';
import { Secret } from '../../src/util/secret.ts';
import type { KmsServer } from './kms-server.ts';

/** One cipher of each kind, each with a key of its own. */
export async function createAllCiphers({ url }: KmsServer): Promise<Readonly<Record<CipherName, Cipher>>> {
  const { privateKey } = await generateKey({ type: 'curve25519', userIDs: [{ name: 'test' }] });
  const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-north-1' };
  return {
    libsodium: createCipher('libsodium', { key: new Secret(randomBytes(32).toString('hex')), keyTransform: 'hex' }),
    openpgp: createCipher('openpgp', { key: new Secret(privateKey) }),
    'aws-kms': createCipher('aws-kms', { keyId: 'alias/test', endpoint: url, environment }),
  };
}

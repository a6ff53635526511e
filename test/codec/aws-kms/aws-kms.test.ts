import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsKmsCipher } from '../../../src/codec/aws-kms/aws-kms.ts';
import type { Cipher } from '../../../src/codec/cipher.ts';
import { ConfigError, IntegrityError, PermissionError, StoreError } from '../../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { type KmsServer, startKmsServer } from '../../support/kms-server.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;
const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-north-1' };

let server: KmsServer;
beforeAll(async () => {
  server = await startKmsServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.failure = undefined;
  server.calls.length = 0;
});

const cipherOf = (keyId = 'alias/test'): Cipher => awsKmsCipher({ keyId, endpoint: server.url, environment });
const encrypted = (cipher: Cipher, bytes: Uint8Array): Promise<Buffer> => joined(cipher.encrypt(inChunks(bytes, 5000)));
const decrypted = (cipher: Cipher, bytes: Uint8Array): Promise<Buffer> => joined(cipher.decrypt(inChunks(bytes, 5000)));

describe('aws-kms', () => {
  let shared: Cipher;
  beforeAll(() => {
    shared = cipherOf();
  });
  itIsReversible(
    { write: (source) => shared.encrypt(source), read: (source) => shared.decrypt(source) },
    { noticesEveryChange: true, readAheadBytes: 2 * mebibyte, largestChunkBytes: mebibyte, sizeOfNothingBytes: 184 },
  );

  it('writes the wrapped data key in 184 bytes, then DARE 2.0', async () => {
    const stored = await encrypted(cipherOf(), Buffer.from('x'));
    expect(stored.length).toBe(184 + 16 + 1 + 16);
    expect(stored.subarray(184, 188).toString('hex')).toBe('20000000');
  });

  it('asks KMS once for all that one process writes, and once for each data key that it reads', async () => {
    const writer = cipherOf();
    const stored = await Promise.all(['a', 'b', 'c'].map((text) => encrypted(writer, Buffer.from(text))));
    expect(server.calls).toEqual(['Encrypt']);
    const other = await encrypted(cipherOf(), Buffer.from('d'));
    server.calls.length = 0;
    const reader = cipherOf();
    const texts = await Promise.all([...stored, other].map(async (bytes) => String(await decrypted(reader, bytes))));
    expect(texts).toEqual(['a', 'b', 'c', 'd']);
    expect(server.calls).toEqual(['Decrypt', 'Decrypt']);
  });

  it('tells a wrong key from damage', async () => {
    const stored = await encrypted(cipherOf(), walLikeBytes(1000));
    await using elsewhere = await startKmsServer();
    const reader = awsKmsCipher({ keyId: 'alias/test', endpoint: elsewhere.url, environment });
    await expect(decrypted(reader, stored)).rejects.toThrow(IntegrityError);
    await expect(decrypted(reader, stored)).rejects.toThrow('wrong AWS KMS key');
    stored[500] = (stored[500] ?? 0) ^ 1;
    await expect(decrypted(cipherOf(), stored)).rejects.toThrow('DARE package 0 is damaged');
  });

  it.for([
    [400, 'AccessDeniedException', PermissionError],
    [400, 'ExpiredTokenException', PermissionError],
    [400, 'DisabledException', ConfigError],
    [500, 'KMSInternalException', StoreError],
  ] as const)('says what to do about the answer %i %s', async ([status, type, kind]) => {
    const stored = await encrypted(cipherOf(), Buffer.from('x'));
    server.failure = { status, type };
    await expect(decrypted(cipherOf(), stored)).rejects.toThrow(kind);
  });

  it('asks again after a failure', async () => {
    const cipher = cipherOf();
    server.failure = { status: 400, type: 'AccessDeniedException' };
    await expect(encrypted(cipher, Buffer.from('x'))).rejects.toThrow(PermissionError);
    server.failure = undefined;
    const stored = await encrypted(cipher, Buffer.from('x'));
    server.failure = { status: 400, type: 'AccessDeniedException' };
    const reader = cipherOf();
    await expect(decrypted(reader, stored)).rejects.toThrow(PermissionError);
    server.failure = undefined;
    expect(String(await decrypted(reader, stored))).toBe('x');
  });

  it('refuses a key that KMS does not have', async () => {
    await expect(encrypted(cipherOf('alias/other'), Buffer.from('x'))).rejects.toThrow(ConfigError);
  });

  it('does not hand out credentials in its messages', async () => {
    server.failure = { status: 400, type: 'UnrecognizedClientException' };
    const refusal = await encrypted(cipherOf(), Buffer.from('x')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(PermissionError);
    expect(JSON.stringify(refusal) + String(refusal)).not.toContain('secret');
  });
});

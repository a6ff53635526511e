import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMessage, encrypt, generateKey, type PrivateKey, readMessage, revokeKey } from 'openpgp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenpgpOptions, openpgpCipher } from '../../../src/codec/openpgp/openpgp.ts';
import { ConfigError, IntegrityError } from '../../../src/errors.ts';
import { Secret } from '../../../src/util/secret.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { hasCommand } from '../../support/commands.ts';
import { itIsReversible } from '../../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;
const dayMs = 86_400_000;
const fixtures = new URL('../../fixtures/walg/objects/', import.meta.url);

const keyOf = async (name: string, options: { date?: Date; keyExpirationTime?: number } = {}): Promise<PrivateKey> => {
  const userIDs = [{ name, email: `${name}@example.com` }];
  return (await generateKey({ type: 'curve25519', userIDs, format: 'object', ...options })).privateKey;
};
const one = await keyOf('one');
const two = await keyOf('two');
const cipherOf = (...keys: { armor(): string }[]) =>
  openpgpCipher({ key: new Secret(keys.map((key) => key.armor()).join('\n')) });
const cipher = cipherOf(one);

const encrypted = (bytes: Uint8Array, by = cipher): Promise<Buffer> => joined(by.encrypt(inChunks(bytes, 50_000)));
const decrypted = (stored: Uint8Array, by = cipher): Promise<Buffer> => joined(by.decrypt(inChunks(stored, 5000)));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'seawall-openpgp-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('openpgp', () => {
  itIsReversible(
    { write: cipher.encrypt, read: cipher.decrypt },
    { noticesEveryChange: true, readAheadBytes: 16 * mebibyte, largestChunkBytes: 4 * mebibyte },
  );

  it('writes a message in the older format with a literal of raw bytes, for whatever the recipients prefer', async () => {
    const { packets } = await readMessage({ binaryMessage: await encrypted(Buffer.from('text\r\n')) });
    expect(packets.map((packet) => packet.constructor.name)).toEqual([
      'PublicKeyEncryptedSessionKeyPacket',
      'SymEncryptedIntegrityProtectedDataPacket',
    ]);
    expect(packets[1]).toMatchObject({ version: 1 });
  });

  it('encrypts for several recipients, of whom each can read', async () => {
    const bytes = walLikeBytes(1000);
    const stored = await encrypted(bytes, cipherOf(one.toPublic(), two.toPublic()));
    expect(await decrypted(stored, cipherOf(one))).toEqual(bytes);
    expect(await decrypted(stored, cipherOf(two))).toEqual(bytes);
  });

  it('needs only the public key for writing, and says so when it is to read', async () => {
    const writer = cipherOf(one.toPublic());
    const stored = await encrypted(Buffer.from('x'), writer);
    expect((await decrypted(stored)).toString()).toBe('x');
    await expect(decrypted(stored, writer)).rejects.toThrow('cannot decrypt: the OpenPGP key has no private part');
  });

  it('tells a wrong key from damage, and names the right one', async () => {
    const refusal = await decrypted(await encrypted(Buffer.from('x')), cipherOf(two)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(IntegrityError);
    const [subkey] = one.getSubkeys();
    expect(refusal).toMatchObject({
      message: 'wrong OpenPGP key',
      hint: `Set the private key of one of the recipients: ${subkey?.getKeyID().toHex()}.`,
    });
  });

  it('reads keys from files, armored or binary, and from variables with \\n for line breaks', async () => {
    const stored = await encrypted(Buffer.from('x'));
    const files = { 'key.asc': one.armor(), 'key.gpg': one.write() };
    const sources: OpenpgpOptions[] = [{ key: new Secret(one.armor().replaceAll(/\r?\n/g, '\\n')) }];
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(directory, name), content);
      sources.push({ keyFile: join(directory, name) });
    }
    for (const source of sources) expect((await decrypted(stored, openpgpCipher(source))).toString()).toBe('x');
  });

  it('unlocks a key with its passphrase', async () => {
    const stored = await readFile(new URL('zstd-openpgp/wal_005/00000002.history.zst', fixtures));
    const keyFile = new URL('openpgp-private.gpg', fixtures).pathname;
    const right = openpgpCipher({ keyFile, passphrase: new Secret('correct-horse') });
    expect((await decrypted(stored, right)).subarray(0, 4).toString('hex')).toBe('28b52ffd');
    await expect(decrypted(stored, openpgpCipher({ keyFile, passphrase: new Secret('wrong') }))).rejects.toThrow(
      ConfigError,
    );
    await expect(decrypted(stored, openpgpCipher({ keyFile }))).rejects.toThrow('no passphrase is set');
  });

  it('reads what was written for a key that has since expired or been revoked', async () => {
    const tenDaysAgo = new Date(Date.now() - 10 * dayMs);
    const expired = await keyOf('expired', { date: tenDaysAgo, keyExpirationTime: dayMs / 1000 });
    const message = await createMessage({ binary: Buffer.from('x') });
    const stored = await encrypt({ message, encryptionKeys: expired, date: tenDaysAgo, format: 'binary' });
    expect((await decrypted(stored as Uint8Array, cipherOf(expired))).toString()).toBe('x');

    const { privateKey: revoked } = await revokeKey({ key: two, format: 'object' });
    expect((await decrypted(await encrypted(Buffer.from('y'), cipherOf(two)), cipherOf(revoked))).toString()).toBe('y');
  });

  it('refuses to write for an expired key', async () => {
    const expired = await keyOf('expired', { date: new Date(Date.now() - 10 * dayMs), keyExpirationTime: 1 });
    const refusal = await encrypted(Buffer.from('x'), cipherOf(one, expired)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ConfigError);
    expect((refusal as ConfigError).message).toContain(expired.getKeyID().toHex());
  });

  it.for(['', 'no key at all', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxxxx\n-----END PGP PUBLIC KEY BLOCK-----'])(
    'refuses a key that is none: %j',
    async (text) => {
      const broken = openpgpCipher({ key: new Secret(text) });
      await expect(encrypted(Buffer.from('x'), broken)).rejects.toThrow('cannot read the OpenPGP key');
    },
  );

  it('ends with an error, never without an end, whatever one byte is changed to', { timeout: 120_000 }, async () => {
    const stored = await encrypted(Buffer.alloc(40, 7));
    const firstOfData = 2 + (stored[1] ?? 0);
    expect(stored[firstOfData]).toBe(0xc0 | 18);
    for (let offset = firstOfData; offset < firstOfData + 30; offset += 1) {
      for (let value = 0; value < 256; value += 5) {
        const changed = Buffer.from(stored);
        changed[offset] = ((changed[offset] ?? 0) + 1 + value) & 0xff;
        const outcome = await decrypted(changed).catch((error: unknown) => error);
        if (!(outcome instanceof Buffer)) expect(outcome, `byte ${offset}: ${value}`).toBeInstanceOf(IntegrityError);
        else expect(outcome).toEqual(Buffer.alloc(40, 7));
      }
    }
  });

  it('refuses what is not encrypted', async () => {
    await expect(decrypted(Buffer.from('plain text'))).rejects.toThrow(IntegrityError);
    const literal = await createMessage({ binary: Buffer.from('x'), format: 'binary' });
    await expect(decrypted(literal.write() as Uint8Array)).rejects.toThrow(IntegrityError);
  });

  it('notices a large message that was tampered with, cut or added to', async () => {
    const stored = await encrypted(walLikeBytes(3 * mebibyte));
    const tampered = Buffer.from(stored);
    tampered[mebibyte] = (tampered[mebibyte] ?? 0) ^ 1;
    const forged = [
      tampered,
      stored.subarray(0, 2 * mebibyte),
      stored.subarray(0, -1),
      Buffer.concat([stored, stored]),
    ];
    for (const bytes of forged) await expect(decrypted(bytes)).rejects.toThrow(IntegrityError);
  });
});

describe.skipIf(!hasCommand('gpg'))('openpgp and the command gpg (skipped where it is not installed)', () => {
  const gpg = (input: Uint8Array, ...options: string[]): Buffer => {
    const run = spawnSync(
      'gpg',
      ['--homedir', directory, '--batch', '--quiet', '--trust-model', 'always', ...options],
      {
        input,
        maxBuffer: 64 * mebibyte,
      },
    );
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return run.stdout;
  };
  const unlocking = ['--pinentry-mode', 'loopback', '--passphrase', 'correct-horse'];
  const keyFile = new URL('openpgp-private.gpg', fixtures).pathname;
  const shared = openpgpCipher({ keyFile, passphrase: new Secret('correct-horse') });

  beforeAll(() => void gpg(Buffer.alloc(0), ...unlocking, '--import', keyFile));
  afterAll(() => void spawnSync('gpgconf', ['--homedir', directory, '--kill', 'gpg-agent']));

  it('writes what gpg reads', async () => {
    const bytes = walLikeBytes(3 * mebibyte);
    expect(gpg(await encrypted(bytes, shared), ...unlocking, '--decrypt').equals(bytes)).toBe(true);
  });

  it('reads what gpg writes, compressed too', async () => {
    const bytes = walLikeBytes(mebibyte);
    for (const compression of ['none', 'zip', 'zlib']) {
      const stored = gpg(bytes, '--recipient', 'fixture@example.com', '--compress-algo', compression, '--encrypt');
      expect((await decrypted(stored, shared)).equals(bytes), compression).toBe(true);
    }
  });
});

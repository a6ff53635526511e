import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandResult } from '../support/run-command.ts';
import { runSeawall } from '../support/seawall.ts';
import { makeSegment } from '../support/wal-segment.ts';

const objects = fileURLToPath(new URL('../fixtures/walg/objects/', import.meta.url));
const segment = '000000010000000000000002';
const libsodium = { WALG_LIBSODIUM_KEY: '5e'.repeat(32), WALG_LIBSODIUM_KEY_TRANSFORM: 'hex' };
const otherKey = { ...libsodium, WALG_LIBSODIUM_KEY: 'e5'.repeat(32) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-encryption-'));
  writeFileSync(join(folder, segment), makeSegment({ fileName: segment }));
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

const call = (env: Record<string, string>, repository: string, ...args: string[]): Promise<CommandResult> =>
  runSeawall([...args, '--repository', repository], { cwd: folder, env });
const push = (env: Record<string, string>, ...args: string[]) => call(env, folder, 'wal-push', segment, ...args);
const fetch = (env: Record<string, string>, ...args: string[]) =>
  call(env, folder, 'wal-fetch', segment, 'out', ...args);

describe('WAL-G’s encrypted archives', () => {
  const environments = readdirSync(objects)
    .filter((name) => /libsodium|openpgp$/.test(name))
    .map((name) => {
      const lines = readFileSync(join(objects, name, 'env'), 'utf8')
        .trim()
        .split('\n');
      const env = Object.fromEntries(lines.map((line) => line.split('='))) as Record<string, string>;
      const keyPath = join(objects, 'openpgp-private.gpg');
      const openpgp = { WALG_PGP_KEY_PATH: keyPath, WALG_PGP_KEY_PASSPHRASE: 'correct-horse' };
      return [name, name.endsWith('openpgp') ? { ...env, ...openpgp } : env] as const;
    });

  it.each(environments)('are read under WAL-G’s own settings: %s', async (name, env) => {
    const history = '00000002.history';
    const { exitCode, stderr } = await call(env, join(objects, name), 'wal-fetch', history, 'out');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, 'out')))
      .digest('hex');
    expect(readFileSync(join(objects, 'plain.sha256'), 'utf8')).toContain(`${hash}  ${history}`);
  });
});

describe('an encrypted segment', () => {
  beforeEach(async () => expect(await push(libsodium)).toMatchObject({ exitCode: 0, stderr: '' }));

  it('comes back, and is the same as its file', async () => {
    expect(await fetch(libsodium)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(join(folder, 'out')).equals(readFileSync(join(folder, segment)))).toBe(true);
    expect(await push(libsodium)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('archived already') });
  });

  it.each([
    ['under another key', otherKey, 'wrong libsodium key'],
    ['without a key', {}, 'it is encrypted: then set its key'],
  ])('is neither fetched nor taken for the same %s', async (_what, env, words) => {
    expect(await fetch(env)).toMatchObject({ exitCode: 200, stderr: expect.stringContaining(words) });
    expect(await fetch(env, '--fetch-on-undecided', 'absent')).toMatchObject({ exitCode: 75 });
    expect(await push(env)).toMatchObject({ exitCode: 65, stderr: expect.stringContaining(words) });
    expect(readdirSync(folder)).not.toContain('out');
  });
});

describe('a plain segment where encryption is on', () => {
  beforeEach(async () => expect(await push({})).toMatchObject({ exitCode: 0, stderr: '' }));

  it('is neither fetched nor taken for the same', async () => {
    const words = 'it is not encrypted, and encryption is configured';
    expect(await fetch(libsodium)).toMatchObject({ exitCode: 200, stderr: expect.stringContaining(words) });
    expect(await push(libsodium)).toMatchObject({ exitCode: 65, stderr: expect.stringContaining(words) });
    expect(readdirSync(folder)).not.toContain('out');
  });

  it('is read when that is allowed', async () => {
    expect(await fetch({ ...libsodium, SEAWALL_ALLOW_UNENCRYPTED: 'on' })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await push(libsodium, '--allow-unencrypted', 'on')).toMatchObject({ exitCode: 0 });
  });
});

describe('a public key alone', () => {
  const openpgp = { SEAWALL_OPENPGP_KEY_FILE: join(objects, 'openpgp-public.gpg') };
  const words = `${segment}.zst: cannot decrypt: the OpenPGP key has no private part`;

  it('serves for writing, but neither for reading nor for comparing', async () => {
    expect(await push(openpgp)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await fetch(openpgp)).toMatchObject({ exitCode: 200, stderr: expect.stringContaining(words) });
    expect(await push(openpgp)).toMatchObject({ exitCode: 78, stderr: expect.stringContaining(words) });
    const keyFile = { SEAWALL_OPENPGP_KEY_FILE: join(objects, 'openpgp-private.gpg') };
    writeFileSync(join(folder, 'passphrase'), 'correct-horse\n');
    const reading = { ...keyFile, SEAWALL_OPENPGP_PASSPHRASE_FILE: 'passphrase' };
    expect(await push(reading)).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('archived already') });
    expect(await fetch({ ...keyFile, SEAWALL_OPENPGP_PASSPHRASE: 'wrong' })).toMatchObject({ exitCode: 200 });
  });
});

describe('keys', () => {
  const key = 'c0nfidential-c0nfidential-c0nfidential';

  it.each([
    ['config', 'show'],
    ['config', 'show', '--origin'],
    ['config', 'show', '--json'],
  ])('do not show in: %s %s %s', async (...args) => {
    const env = { WALG_LIBSODIUM_KEY: key, WALG_PGP_KEY: key, SEAWALL_OPENPGP_PASSPHRASE: key };
    const { stdout, stderr, exitCode } = await runSeawall(args.filter(Boolean), { env });
    expect(exitCode).toBe(0);
    expect(stdout.match(/\[hidden\]/g)).toHaveLength(3);
    expect(stdout + stderr).not.toContain('c0nf');
  });

  it('do not show in errors, and have no flag', async () => {
    const config = join(folder, 'config.yaml');
    writeFileSync(config, `libsodiumKey: ${key}\nopenpgpKey: ${key}\nencryption: openpgp\n`);
    const results = [
      await push({}, '--config', config),
      await push({ WALG_LIBSODIUM_KEY: key, WALG_LIBSODIUM_KEY_TRANSFORM: 'hex' }),
      await push({ WALG_LIBSODIUM_KEY: key, WALG_PGP_KEY: key }),
    ];
    for (const { exitCode, stderr } of results) {
      expect(exitCode).toBe(78);
      expect(stderr).not.toContain('c0nf');
    }
    const { stdout } = await runSeawall(['wal-push', '--help']);
    expect(stdout).toContain('--libsodium-key-file');
    expect(stdout).not.toMatch(/--libsodium-key |--openpgp-key |--openpgp-passphrase /);
  });

  it.runIf(process.getuid?.() !== 0)('that may not be read are named by their file', async () => {
    writeFileSync(join(folder, 'key'), key);
    chmodSync(join(folder, 'key'), 0);
    expect(await push({ SEAWALL_LIBSODIUM_KEY_FILE: 'key' })).toMatchObject({
      stderr: expect.stringContaining('cannot read the libsodium key from key: EACCES'),
    });
  });
});

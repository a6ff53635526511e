import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../../support/seawall.ts';
import { makeSegment } from '../../support/wal-segment.ts';

const fileName = '000000010000000000000002';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
  for (const name of ['one', 'two', 'three']) mkdirSync(join(home, name));
  writeFileSync(join(home, fileName), makeSegment({ fileName }));
});
afterEach(() => rmSync(home, { recursive: true, maxRetries: 20 }));

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return await runSeawall(args, { cwd: home, env: { HOME: home, ...env } });
}

/** What wal-push has stored in a repository. */
function storedIn(name: string): string[] {
  return readdirSync(join(home, name, 'wal_005'));
}

describe('the wal-g personality', () => {
  it('lets a flag win over a variable, and a variable over the file', async () => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => join(home, name));
    writeFileSync(join(home, '.walg.yaml'), `walg_file_prefix: ${one}\nWALG_COMPRESSION_METHOD: brotli\n`);
    expect(await run(['wal-g', 'wal-push', fileName])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(storedIn('one')).toEqual([`${fileName}.br`]);
    await run(['wal-g', 'wal-push', fileName], { WALG_FILE_PREFIX: two ?? '' });
    expect(storedIn('two')).toEqual([`${fileName}.br`]);
    const flags = [`--walg-file-prefix=${three}`, '--walg-compression-method', 'lzma'];
    await run(['wal-g', ...flags, 'wal-push', fileName], { WALG_FILE_PREFIX: two ?? '', SEAWALL_COMPRESSION: 'zstd' });
    expect(storedIn('three')).toEqual([`${fileName}.lzma`]);
  });

  it('compresses with lz4 unless told otherwise, and under the own name with zstd', async () => {
    await run(['wal-g', 'wal-push', fileName], { WALG_FILE_PREFIX: join(home, 'one') });
    expect(storedIn('one')).toEqual([`${fileName}.lz4`]);
    await run(['wal-push', fileName], { WALG_FILE_PREFIX: join(home, 'two') });
    expect(storedIn('two')).toEqual([`${fileName}.zst`]);
  });

  it('fetches what it has pushed, and never overwrites', async () => {
    const env = { WALG_FILE_PREFIX: join(home, 'one') };
    await run(['wal-g', 'wal-push', fileName], env);
    expect(await run(['wal-g', 'wal-fetch', fileName, 'out', '--turbo'], env)).toMatchObject({ exitCode: 0 });
    writeFileSync(join(home, fileName), makeSegment({ fileName, content: Buffer.from('other') }));
    expect(await run(['wal-g', 'wal-push', fileName], env)).toMatchObject({
      exitCode: 65,
      stderr: expect.stringMatching(/^ERROR: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} /),
    });
  });

  it('says nothing of settings without effect where PostgreSQL calls it for every file', async () => {
    const env = { WALG_FILE_PREFIX: join(home, 'one'), WALG_NETWORK_RATE_LIMIT: '1' };
    expect(await run(['wal-g', 'wal-push', fileName], env)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await run(['backup-list', '--json'], env)).toMatchObject({
      exitCode: 0,
      stdout: '[]\n',
      stderr: expect.stringMatching(/^WARNING: .* without effect in Seawall: WALG_NETWORK_RATE_LIMIT\n/),
    });
  });

  it.each([
    ['an unknown command', ['wal-g', 'backup-psh'], 64, 'Did you mean backup-push?'],
    ['an unknown option', ['wal-g', 'backup-list', '--jsn'], 64, 'Did you mean --json?'],
    ['a secret as a flag', ['wal-g', 'backup-list', '--aws-secret-access-key', 'x'], 64, 'unknown option'],
    ['a bad value', ['wal-g', 'backup-list', '--walg-zstd-level', 'high'], 78, 'one of fastest, default, better, best'],
    ['no repository', ['wal-g', 'backup-list'], 78, 'no repository is set'],
    ['Swift', ['wal-g', 'backup-list', '--walg-swift-prefix', 'swift://c/p'], 78, 'there is no store for SWIFT'],
    ['a file in another form', ['wal-g', 'backup-list', '--config', '/etc/x.toml'], 78, 'neither JSON, YAML nor env'],
  ])('%s is an error in WAL-G’s form', async (_what, args, exitCode, words) => {
    const result = await run(args);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(/^ERROR: /);
    expect(result.stderr).toContain(words);
  });

  it('takes switches with a value, and those that are false as not given', async () => {
    const env = { WALG_FILE_PREFIX: home };
    const given = await run(['wal-g', 'backup-list', '--json=true', '--detail=false'], env);
    expect(given).toMatchObject({ exitCode: 0, stdout: '[]\n' });
    const left = await run(['wal-g', 'backup-list', '--json=false', '--turbo=true'], env);
    expect(left).toMatchObject({ exitCode: 0, stdout: '' });
    expect((await run(['wal-g', 'delete', 'everything', '--confirm=perhaps'], env)).exitCode).toBe(64);
  });

  it('prints help and version', async () => {
    for (const flag of ['--version', '-v']) {
      expect(await run(['wal-g', flag])).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^wal-g version v/),
      });
    }
    const { stdout } = await run(['wal-g', 'backup-push', '--help']);
    expect(stdout).toMatch(/^Examples:\n {2}wal-g backup-push /);
    expect(stdout).toContain('--delta-from-name');
  });
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../../support/seawall.ts';
import { walgFixture } from '../../support/walg-fixture.ts';

let folder: string;
let directory: string;
let specPath: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
  directory = join(folder, 'data');
  specPath = join(folder, 'spec.json');
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

async function fetchBackup(...args: string[]) {
  const env = { WALG_FILE_PREFIX: walgFixture('lz4-remote/repo') };
  return await runSeawall(['backup-fetch', directory, ...args], { env });
}

function writeSpec(location: unknown, oid = '16384'): void {
  const spec = { base_prefix: directory, tablespaces: [oid], [oid]: { loc: location, link: `pg_tblspc/${oid}` } };
  writeFileSync(specPath, JSON.stringify(spec));
}

describe('backup-fetch', () => {
  it('lays the files down as the backup has them, tablespaces where the specification says, and writes no settings', async () => {
    writeSpec(join(folder, 'ts'));
    const options = ['--restore-spec', specPath, '--reverse-unpack', '--skip-redundant-tars'];
    const { exitCode, stdout, stderr } = await fetchBackup('LATEST', ...options);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr.trimEnd()).toMatch(/INFO: \S+ \S+ Backup extraction complete\.$/);
    expect(readlinkSync(join(directory, 'pg_tblspc', '16384'))).toBe(join(folder, 'ts'));
    expect(readFileSync(join(directory, 'PG_VERSION'), 'utf8')).toBe('18\n');
    expect(readdirSync(join(folder, 'ts'))).toEqual(['PG_18_202506291']);
    expect(readFileSync(join(directory, 'postgresql.auto.conf'), 'utf8')).not.toMatch(/^[^#]/m);
    expect(readFileSync(join(directory, 'backup_label'), 'utf8')).toContain('START WAL LOCATION: 0/2000028');
    expect(readdirSync(directory).filter((name) => /signal|unfinished/.test(name))).toEqual([]);
  });

  it('advises by the names of its own commands', async () => {
    const { stderr } = await fetchBackup('base_000000010000000000000009');
    expect(stderr).toContain("hint: See which there are with 'wal-g backup-list'.");
  });

  it.each([
    ['no backup', [], 64, 'no backup named'],
    ['a backup by name and by user data', ['LATEST', '--target-user-data', '1'], 64, 'by name and by user data'],
    ['user data that no backup has', ['--target-user-data', '{"a":1}'], 74, 'no backup has these user data'],
    ['user data that are not JSON', ['--target-user-data', 'nightly'], 64, 'not JSON'],
    ['an unknown backup', ['base_000000010000000000000009'], 74, 'no backup "base_'],
    ['a mask', ['LATEST', '--mask', 'base/*'], 64, '--mask is not supported'],
    ['a part of the databases', ['LATEST', '--restore-only', 'db'], 64, '--restore-only is not supported'],
    ['another storage', ['LATEST', '--target-storage', 'b'], 78, 'failover storages are not supported'],
    ['a specification that is not there', ['LATEST', '--restore-spec', '/nowhere.json'], 78, '/nowhere.json'],
  ])('refuses %s before anything is written', async (_what, args, exitCode, words) => {
    const result = await fetchBackup(...args);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(/^ERROR: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} /);
    expect(result.stderr).toContain(words);
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['names a tablespace that the backup does not have', '/srv/ts', '16399', 'has no tablespace 16399'],
    ['has no absolute path', 'ts', '16384', 'tablespace 16384 has no absolute loc'],
  ])('refuses a specification that %s', async (_what, location, oid, words) => {
    writeSpec(location, oid);
    expect(await fetchBackup('LATEST', '--restore-spec', specPath)).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(words),
    });
  });
});

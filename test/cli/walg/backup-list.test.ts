import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../../support/seawall.ts';
import { walgFixture } from '../../support/walg-fixture.ts';

const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const metadataOf = (repository: string, name: string) => join(repository, 'basebackups_005', name, 'metadata.json');

let folder: string;
let repository: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
  repository = join(folder, 'repository');
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

function useFixture(name: string): void {
  cpSync(join(walgFixture(name), 'repo', 'basebackups_005'), join(repository, 'basebackups_005'), { recursive: true });
}

async function walg(...args: string[]) {
  return await runSeawall(['wal-g', ...args], { env: { WALG_FILE_PREFIX: repository } });
}

/** When a copy was stored is not when WAL-G stored it. */
function withoutStorageTimes(text: string): string {
  return text.replaceAll(/"time":"[^"]*"/g, '"time":"…"').trimEnd();
}

describe('backup-list', () => {
  it.each(['zstd-deltas', 'lz4-remote'])('prints of the repository %s what WAL-G printed', async (name) => {
    useFixture(name);
    const { stdout, stderr, exitCode } = await walg('backup-list', '--detail', '--json');
    const expected = readFileSync(walgFixture(`${name}/backup-list.json`), 'utf8');
    expect(withoutStorageTimes(stdout)).toBe(withoutStorageTimes(expected));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('prints columns that scripts split, with a heading that they look for', async () => {
    useFixture('zstd-deltas');
    const { stdout } = await walg('backup-list');
    const [heading = '', first = ''] = stdout.split('\n');
    expect(heading).toMatch(/^(backup_)?name\s+(last_)?modified\s+wal_file_name\s+storage_name$/);
    expect(first.split(/\s+/)).toEqual([
      full,
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      '000000010000000000000002',
      'default',
    ]);
    const detailed = (await walg('backup-list', '--detail')).stdout.split('\n')[2] ?? '';
    expect(detailed.split(/\s+/).slice(4)).toEqual([
      '2026-11-21T07:07:35Z',
      '2026-11-21T07:07:37Z',
      'db1',
      '/var/lib/postgresql/18/main',
      '180006',
      '0/4000028',
      '0/4000120',
      'false',
    ]);
  });

  it('prints a table with lines, or indented JSON, with --pretty', async () => {
    useFixture('lz4-remote');
    const { stdout } = await walg('backup-list', '--detail', '--pretty');
    expect(stdout).toMatch(/^\+---\+-+\+/);
    expect(stdout).toContain('| # | BACKUP NAME ');
    expect(stdout).toContain(`| 0 | ${full} | `);
    expect(stdout).toContain('| Saturday, 21-Nov-26 07:08:08 UTC |');
    expect((await walg('backup-list', '--json', '--pretty')).stdout).toContain(
      `[\n    {\n        "backup_name": "${full}",\n`,
    );
  });

  it('is [] in JSON and a line on stderr when there is no backup, with status 0', async () => {
    mkdirSync(repository);
    expect(await walg('backup-list', '--json')).toMatchObject({
      exitCode: 0,
      stdout: '[]\n',
      stderr: expect.stringMatching(/^INFO: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} No backups found\n$/),
    });
    expect(await walg('backup-list')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('takes what it can from the sentinel where there is no metadata.json', async () => {
    useFixture('lz4-remote');
    rmSync(metadataOf(repository, full));
    const { stdout } = await walg('backup-list', '--detail', '--json');
    expect(stdout).toContain('"system_identifier":7710518078754572217');
    expect(stdout).toContain('"start_time":"2026-11-21T07:08:08.615Z"');
  });

  it('leaves a damaged backup out, and says so', async () => {
    useFixture('zstd-deltas');
    writeFileSync(metadataOf(repository, delta), '{"start_time":7}');
    const { stdout, stderr, exitCode } = await walg('backup-list', '--detail', '--json');
    expect(exitCode).toBe(0);
    expect(stdout.match(/backup_name/g)).toHaveLength(2);
    expect(stderr).toMatch(/^WARNING: .*backup cannot be read/);
  });
});

describe('backup-show', () => {
  it('prints one backup', async () => {
    useFixture('zstd-deltas');
    const { stdout } = await walg('backup-show', delta);
    expect(stdout).toContain(`backup_name: ${delta}\n`);
    expect(stdout).toContain('start_lsn: 0/4000028\n');
    const line = (await walg('backup-show', delta, '--json')).stdout;
    expect(line).toMatch(/^\{"backup_name":/);
    expect(readFileSync(walgFixture('zstd-deltas/backup-list.json'), 'utf8')).toContain(
      line.slice(line.indexOf('"start_time"'), -2),
    );
  });

  it('ends with 74 when there is no such backup', async () => {
    mkdirSync(repository);
    expect(await walg('backup-show', 'LATEST')).toMatchObject({
      exitCode: 74,
      stderr: expect.stringMatching(/^ERROR: .* no backup in/),
    });
  });
});

describe('backup-mark', () => {
  it('makes a backup permanent with all that it stands on, and changes nothing else', async () => {
    useFixture('zstd-deltas');
    const before = readFileSync(metadataOf(repository, delta), 'utf8');
    expect(await walg('backup-mark', delta)).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(
        new RegExp(`INFO: .* Backup ${full} is permanent now\nINFO: .* Backup ${delta} is`),
      ),
    });
    expect(readFileSync(metadataOf(repository, delta), 'utf8')).toBe(
      before.replace('"is_permanent":false', '"is_permanent":true'),
    );
    const { stdout } = await walg('backup-list', '--detail', '--json');
    expect(stdout.match(/"is_permanent":(true|false)/g)?.map((text) => text.slice(15))).toEqual([
      'true',
      'true',
      'false',
    ]);
  });

  it('leaves a backup permanent on which a permanent one stands', async () => {
    useFixture('zstd-deltas');
    await walg('backup-mark', delta);
    expect(await walg('backup-mark', '-i', full)).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(`cannot mark ${full} impermanent: the permanent backup ${delta} stands on it`),
    });
    expect(await walg('backup-mark', '--impermanent', delta)).toMatchObject({ exitCode: 0 });
    expect(await walg('backup-mark', '-i', full)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(metadataOf(repository, full), 'utf8')).toContain('"is_permanent":false');
  });
});

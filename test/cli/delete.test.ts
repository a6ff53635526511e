import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';
import { walgFixture } from '../support/walg-fixture.ts';

const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const deltaOnDelta = 'base_000000010000000000000006_D_000000010000000000000004';

let folder: string;
let repository: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-delete-'));
  repository = join(folder, 'repository');
  cpSync(join(walgFixture('zstd-deltas'), 'repo'), repository, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

const seawall = (...args: string[]) => runSeawall([...args, '--repository', repository]);
const walg = (...args: string[]) => runSeawall(['wal-g', ...args], { env: { WALG_FILE_PREFIX: repository } });

const objects = (): string[] => readdirSync(repository, { recursive: true }).map(String).sort();

describe('delete in a repository that WAL-G wrote', () => {
  it('shows what would go, by kind, and leaves it all', async () => {
    const before = objects();
    const { stdout, stderr, exitCode } = await walg('delete', 'target', delta);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['kind', 'objects', 'size', 'which'],
      ['backups', '12', expect.stringMatching(/KiB$/), `${deltaOnDelta} ${delta}`],
      [''],
    ]);
    expect(stderr).toMatch(/^INFO: .* dry run: nothing was deleted\. Add --confirm to delete it\n$/);
    expect({ exitCode, after: objects() }).toEqual({ exitCode: 0, after: before });
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await seawall('delete', 'target', deltaOnDelta, '--json');
    expect(JSON.parse(stdout)).toEqual({
      repository: `file://${repository}`,
      isDryRun: true,
      kinds: [{ kind: 'backups', objectCount: 6, sizeBytes: expect.any(Number), names: [deltaOnDelta] }],
    });
  });

  it('deletes when it is confirmed', async () => {
    expect(await seawall('delete', 'target', delta, '--confirm')).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await walg('backup-list', '--json')).stdout)).toMatchObject([{ backup_name: full }]);
    expect(await walg('delete', 'garbage', '--confirm')).toMatchObject({ exitCode: 0 });
    expect(existsSync(join(repository, 'wal_005', '000000010000000000000002.zst'))).toBe(true);
    expect(await walg('delete', 'everything', '--confirm')).toMatchObject({ exitCode: 0 });
    expect(await walg('st', 'ls', '-r')).toMatchObject({ stdout: 'type size last modified name\n' });
  });

  it('ends with 0 where there is nothing to delete', async () => {
    const { stdout, stderr, exitCode } = await walg('delete', 'retain', 'FULL', '5', '--confirm');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
    expect(stderr).toMatch(/no backup found for deletion/i);
  });

  it('does not begin at a delta, and says how else', async () => {
    const { stderr, exitCode } = await walg('delete', 'retain', '1', '--confirm');
    expect(exitCode).toBe(64);
    expect(stderr).toContain(`cannot delete what is older than ${deltaOnDelta}: it is a delta, and stands on ${delta}`);
    expect(stderr).toContain('FIND_FULL');
    expect((await walg('delete', 'retain', 'FIND_FULL', '1')).exitCode).toBe(0);
  });

  it('leaves a permanent backup alone, with what it stands on', async () => {
    expect((await walg('backup-mark', delta)).exitCode).toBe(0);
    expect(await walg('delete', 'target', full, '--confirm')).toMatchObject({ exitCode: 64 });
    expect(await walg('delete', 'everything', '--confirm')).toMatchObject({ exitCode: 64 });
    expect(await walg('delete', 'target', deltaOnDelta, '--confirm')).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await walg('backup-list', '--json')).stdout)).toHaveLength(2);
  });
});

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../../support/seawall.ts';
import { walgFixture } from '../../support/walg-fixture.ts';

/** What the fixtures' WAL folders held when WAL-G described them: the names of segments are all that counts. */
const segments = { 'zstd-deltas': 8, 'lz4-remote': 4 } as const;
const currentLsn = { 'zstd-deltas': '0/80000D0', 'lz4-remote': '0/40000D0' } as const;

let folder: string;
let repository: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
  repository = join(folder, 'repository');
  mkdirSync(join(repository, 'wal_005'), { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

function useFixture(name: keyof typeof segments): void {
  cpSync(join(walgFixture(name), 'repo', 'basebackups_005'), join(repository, 'basebackups_005'), { recursive: true });
  // Sentinels are in the order of their names here, which is that in which WAL-G stored them.
  const backups = join(repository, 'basebackups_005');
  for (const [index, file] of readdirSync(backups).sort().entries()) utimesSync(join(backups, file), index, index);
  for (let number = 1; number <= segments[name]; number += 1) storeWal(`00000001000000000000000${number}.zst`);
}

function storeWal(name: string, content = ''): void {
  writeFileSync(join(repository, 'wal_005', name), content);
}

async function walg(...args: string[]) {
  return await runSeawall(['wal-g', ...args], { env: { WALG_FILE_PREFIX: repository } });
}

/** When a copy was stored is not when WAL-G stored it. */
function withoutStorageTimes(text: string): string {
  return text.replaceAll(/"time":"[^"]*"/g, '"time":"…"').trimEnd();
}

describe.each(['zstd-deltas', 'lz4-remote'] as const)('of the repository %s', (name) => {
  it('wal-show prints what WAL-G printed', async () => {
    useFixture(name);
    const { stdout, stderr, exitCode } = await walg('wal-show', '--detailed-json');
    const expected = readFileSync(walgFixture(`${name}/wal-show.json`), 'utf8');
    expect(withoutStorageTimes(stdout)).toBe(withoutStorageTimes(expected));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('wal-verify prints what WAL-G printed', async () => {
    useFixture(name);
    const position = ['--timeline', '1', '--lsn', currentLsn[name]];
    const { stdout, stderr, exitCode } = await walg('wal-verify', 'timeline', 'integrity', '--json', ...position);
    expect(stdout.trimEnd()).toBe(readFileSync(walgFixture(`${name}/wal-verify.json`), 'utf8').trimEnd());
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

describe('wal-show', () => {
  it('prints a table of the timelines, their parents and their gaps', async () => {
    useFixture('lz4-remote');
    storeWal('000000020000000000000004.zst');
    storeWal('000000020000000000000006.lz4');
    storeWal('00000002.history', '1\t0/40000D0\tno recovery target specified\n');
    const { stdout } = await walg('wal-show');
    const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
    expect(
      rows.map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
    ).toEqual([
      [
        'TLI',
        'PARENT TLI',
        'SWITCHPOINT LSN',
        'START SEGMENT',
        'END SEGMENT',
        'SEGMENT RANGE',
        'SEGMENTS COUNT',
        'STATUS',
        'BACKUPS COUNT',
      ],
      ['1', '0', '0/0', '000000010000000000000001', '000000010000000000000004', '4', '4', 'OK', '1'],
      ['2', '1', '0/40000D0', '000000020000000000000004', '000000020000000000000006', '3', '2', 'LOST_SEGMENTS', '0'],
    ]);
    const [first] = JSON.parse((await walg('wal-show', '--detailed-json', '--without-backups')).stdout);
    expect(first).not.toHaveProperty('backups');
  });

  it('lists no more missing segments than anybody reads', async () => {
    for (const name of ['000000010000000000000001', '00000001000FFFFF00000001']) storeWal(name);
    const args = ['wal-show', '--detailed-json', '--walg-pg-wal-size', '16'];
    useFixture('lz4-remote');
    const { stdout, stderr } = await walg(...args);
    const [timeline] = JSON.parse(stdout);
    expect(timeline).toMatchObject({ segment_range_size: 268_435_201, status: 'LOST_SEGMENTS' });
    expect(timeline.missing_segments).toHaveLength(100_000);
    expect(stderr).toContain('more segments are missing than are listed');
  });
});

describe('wal-verify', () => {
  const position = ['--timeline', '1', '--lsn', '0/80000D0'];

  it('prints its answers as text, and ends with 0 also when WAL is lost', async () => {
    useFixture('zstd-deltas');
    rmSync(join(repository, 'wal_005', '000000010000000000000004.zst'));
    const args = ['--walg-upload-concurrency', '2', '--walg-integrity-max-delayed-wals', '1'];
    const { stdout, stderr, exitCode } = await walg('wal-verify', 'integrity', 'timeline', ...position, ...args);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('[wal-verify] integrity check status: FAILURE');
    expect(lines.filter((line) => line.includes('MISSING_LOST'))).toEqual([
      expect.stringMatching(/\| +1 \| 000000010000000000000004 \| 000000010000000000000004 \| +1 \| MISSING_LOST \|/),
    ]);
    expect(lines.slice(-4)).toEqual([
      '[wal-verify] timeline check details:',
      'Highest timeline found in storage: 1',
      'Current cluster timeline: 1',
      '',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });

  it('begins at the backup that is named', async () => {
    useFixture('zstd-deltas');
    const { stdout } = await walg('wal-verify', 'integrity', '--json', '--backup-name', 'LATEST', ...position);
    expect(JSON.parse(stdout).integrity.details).toMatchObject([{ start_segment: '000000010000000000000006' }]);
  });

  it('notices a timeline that the server does not know', async () => {
    useFixture('zstd-deltas');
    storeWal('00000003.history.zst');
    const { stdout } = await walg('wal-verify', 'timeline', '--json', ...position);
    expect(JSON.parse(stdout)).toEqual({
      timeline: { status: 'FAILURE', details: { current_timeline_id: 1, highest_storage_timeline_id: 3 } },
    });
  });

  it.each([
    ['wal-verify', 'everything', ...position],
    ['wal-verify', 'integrity', '--lsn', '0/80000D0'],
    ['wal-verify', 'integrity', '--timeline', 'x', '--lsn', '0/80000D0'],
  ])('refuses %s %s %s %s', async (...args) => {
    expect((await walg(...args)).exitCode).toBe(64);
  });
});

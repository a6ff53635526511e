import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';

let repository: string;

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), 'seawall-end-'));
  mkdirSync(join(repository, 'wal_005'));
  writeFileSync(join(repository, 'wal_005', '000000010000000000000001.zst'), '');
});
afterAll(() => rmSync(repository, { recursive: true, maxRetries: 20 }));

it('a command whose last file has just been looked at ends with its own status', async () => {
  const calls = [
    { args: ['wal-fetch', '00000002.history', join(repository, 'destination')], exitCode: 74 },
    { args: ['wal-fetch', '000000010000000000000001', join(repository, 'destination')], exitCode: 200 },
    { args: ['wal-push', join(repository, '000000010000000000000002')], exitCode: 73 },
    { args: ['show', 'LATEST'], exitCode: 74 },
  ];
  for (const { args, exitCode } of calls) {
    const result = await runSeawall([...args, '--repository', repository]);
    expect(result, args.join(' ')).toMatchObject({ exitCode, signal: null });
    expect(result.stderr).not.toContain('Killed');
  }
});

it('an absent WAL file is no news for a log: wal-fetch says it by its status alone', async () => {
  const result = await runSeawall([
    'wal-fetch',
    '00000002.history',
    join(repository, 'out'),
    '--repository',
    repository,
  ]);
  expect(result).toMatchObject({ exitCode: 74, stdout: '', stderr: '' });
});

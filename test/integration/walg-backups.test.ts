import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { parseRecoveryTarget, type RecoveryTargetTexts } from '../../src/postgres/recovery-target.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { listSegments, readWal } from '../../src/repository/wal-archive.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { startServer } from '../support/postgres-server.ts';
import { runCommand } from '../support/run-command.ts';
import { waitForPause } from '../support/server-state.ts';
import { makeServerDirectory } from '../support/server-user.ts';

const fullBackup = 'base_000000010000000000000002';
const firstDelta = 'base_000000010000000000000004_D_000000010000000000000002';
const secondDelta = 'base_000000010000000000000006_D_000000010000000000000004';

/** Label, time, LSN and what the table holds then; see the comment in states.tsv. */
function readStates(fixture: string): [label: string, time: string, lsn: string, facts: string][] {
  return readFileSync(join(fixture, 'states.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t') as [string, string, string, string]);
}

describe.each([
  ['a full backup that WAL-G took from the data directory', 'zstd-deltas', fullBackup, 0],
  ['a full backup that WAL-G took over the replication protocol', 'lz4-remote', fullBackup, 0],
  ["WAL-G's first delta", 'zstd-deltas', firstDelta, 1],
  ["WAL-G's second delta", 'zstd-deltas', secondDelta, 2],
])('%s', (_what, fixtureName, backup, firstState) => {
  const fixture = fileURLToPath(new URL(`../fixtures/walg/${fixtureName}`, import.meta.url));
  const states = readStates(fixture);
  const targets = states.flatMap(
    ([label, time, lsn, facts], index): [string, RecoveryTargetTexts, string, number][] => {
      if (index < firstState) return [];
      const spread = index < 2 ? 4000 : 4100;
      const byName: [string, RecoveryTargetTexts, string, number] = [
        `${label} by name`,
        { name: label },
        facts,
        spread,
      ];
      return [
        [`${label} by LSN`, { lsn }, facts, spread],
        // WAL-G's clock for the states is finer than the commits are apart: the very last one has no commit behind it.
        ...(index === firstState ? [[`${label} by time`, { time }, facts, spread] as typeof byName] : []),
        ...(label === 'before_drop' ? [byName] : []),
      ];
    },
  );

  let folder: string;
  let repository: Repository;
  let restoreCommand: string;

  beforeAll(async () => {
    folder = makeServerDirectory('seawall-walg-');
    repository = createRepository(createFilesystemStore(join(fixture, 'repo')), createCodec('zstd'));
    const wal = join(folder, 'wal');
    mkdirSync(wal);
    for await (const stored of listSegments(repository)) {
      writeFileSync(join(wal, stored.fileName), Buffer.concat(await Array.fromAsync(readWal(repository, stored))));
    }
    giveTreeToServerUser(wal);
    restoreCommand = `cp ${wal}/%f %p`;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, maxRetries: 20, force: true });
  });

  /** Restores with the tablespace moved, and gives the directory. */
  async function restore(from: Repository, name: string, target: RecoveryTargetTexts): Promise<string> {
    const [directory, moved] = [join(folder, name), join(folder, `${name}-ts`)];
    const tablespaceMappings = [{ from: '/var/lib/postgresql/ts1', to: moved }];
    const options = { directory, backup, target: parseRecoveryTarget(target), restoreCommand, tablespaceMappings };
    await restoreBackup(from, { ...options, standby: false, jobs: 2 }, createContext());
    for (const path of [directory, moved]) giveTreeToServerUser(path);
    return directory;
  }

  it.each(targets)('recovers to %s as it was then', async (label, target, expected, spreadCount) => {
    const directory = await restore(repository, label.replaceAll(' ', '-'), target);
    await using server = await startServer({ major: 18, dataDirectory: directory });
    await waitForPause(server);
    const [facts] = await server.query(
      "SELECT count(*)::text AS count, coalesce(md5(string_agg(id||':'||v, ',' order by id)), '') AS md5 FROM facts",
    );
    expect(facts).toEqual({ count: expected.split('|')[0], md5: expected.split('|')[1] });
    expect(await server.query('SELECT count(*)::int AS count FROM spread')).toEqual([{ count: spreadCount }]);
  });

  it('names a damaged part', async () => {
    const damaged = join(folder, 'damaged');
    await runCommand('cp', ['-r', join(fixture, 'repo'), damaged], { env: { PATH: process.env['PATH'] ?? '' } });
    const parts = join(damaged, 'basebackups_005', fullBackup, 'tar_partitions');
    const [fileName = ''] = readdirSync(parts).filter((name) => name.startsWith('part_002'));
    const part = join(parts, fileName);
    const bytes = readFileSync(part);
    bytes.writeUInt8((bytes[50_000] ?? 0) ^ 1, 50_000);
    writeFileSync(part, bytes);
    const other = createRepository(createFilesystemStore(damaged), createCodec('zstd'));
    await expect(restore(other, 'from-damaged', {})).rejects.toThrow(fileName);
    expect(existsSync(join(folder, 'from-damaged'))).toBe(false);
    expect(existsSync(join(folder, 'from-damaged-ts'))).toBe(false);
  });
});

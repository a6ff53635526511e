import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { parseControlFile } from '../../src/postgres/control-file.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { waitUntilArchived } from '../support/archiving-cluster.ts';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { startCluster } from '../support/postgres.ts';
import { type Server, startServer } from '../support/postgres-server.ts';
import { waitForPromotion } from '../support/server-state.ts';
import { type WalgBackup, writeWalgBackup } from '../support/walg-backup.ts';

/** Written by the restore in a form of its own, or by nobody. */
const ownFiles =
  /^(?:postgresql\.auto\.conf|backup_label|recovery\.signal|pg_wal|postmaster\..*|global\/pg_control)(?:\/|$)/;

/** Every file below a directory, relative to it. */
function filesBelow(directory: string, path = ''): string[] {
  return readdirSync(join(directory, path)).flatMap((name) => {
    const below = path === '' ? name : `${path}/${name}`;
    return lstatSync(join(directory, below)).isDirectory() ? filesBelow(directory, below) : [below];
  });
}

describe('a chain of deltas upon snapshots of a running server', () => {
  let primary: Server;
  let repository: Repository;
  let archive: string;
  const snapshots: string[] = [];
  const backups: WalgBackup[] = [];
  /** So that a test's second attempt has a destination of its own. */
  let restores = 0;

  /** What happens between two backups; each kind of change that a file can undergo. */
  const steps = [
    `CREATE TABLE steady AS SELECT g AS id, repeat('s', 500) AS v FROM generate_series(1, 4000) g;
     CREATE TABLE shrinking AS SELECT g AS id, repeat('d', 500) AS v FROM generate_series(1, 4000) g;
     CREATE TABLE growing AS SELECT g AS id, repeat('g', 500) AS v FROM generate_series(1, 400) g;
     CREATE TABLE leaving AS SELECT g AS id FROM generate_series(1, 1000) g;
     CREATE UNLOGGED TABLE unlogged AS SELECT g AS id, repeat('u', 500) AS v FROM generate_series(1, 100) g;
     CREATE INDEX ON steady (id); VACUUM`,
    `UPDATE steady SET v = 'x' WHERE id % 500 = 7;
     DELETE FROM shrinking WHERE id > 500;
     INSERT INTO growing SELECT g, repeat('h', 500) FROM generate_series(401, 1400) g;
     INSERT INTO unlogged SELECT g, repeat('u', 500) FROM generate_series(101, 1000) g;
     DROP TABLE leaving; VACUUM shrinking`,
    `INSERT INTO shrinking SELECT g, repeat('e', 500) FROM generate_series(5000, 6500) g;
     CREATE TABLE coming AS SELECT g AS id FROM generate_series(1, 5000) g;
     UPDATE growing SET v = 'y' WHERE id < 20`,
    `UPDATE steady SET v = 'z' WHERE id = 3999;
     CREATE DATABASE another`,
  ];

  beforeAll(async () => {
    primary = await startCluster({ major: 18, archiveCommand: 'true', settings: { autovacuum: false } });
    archive = primary.makeDirectory('archive');
    const wal = primary.makeDirectory('wal');
    await primary.query(`ALTER SYSTEM SET archive_command = 'cp %p ${wal}/%f'`);
    await primary.query('SELECT pg_reload_conf()');
    repository = createRepository(createFilesystemStore(archive), createCodec('zstd'));
    for (const step of steps) {
      for (const statement of step.split(';')) await primary.query(statement);
      await takeBackup();
    }
    await primary.query('INSERT INTO coming VALUES (-1)');
    await primary.query('SELECT pg_switch_wal()');
    await waitUntilArchived(primary);
  });

  afterAll(async () => {
    await primary.destroy();
    rmSync(archive, { recursive: true, maxRetries: 20, force: true });
  });

  async function takeBackup(): Promise<void> {
    const snapshot = join(primary.directory, `snapshot-${snapshots.length}`);
    const client = await primary.connect();
    try {
      const start = await client.query(
        "SELECT pg_backup_start('x', true)::text AS lsn, pg_walfile_name(pg_current_wal_lsn()) AS name",
      );
      // Then nothing goes while it is copied.
      await waitUntilArchived(primary);
      execFileSync('cp', ['-a', primary.dataDirectory, snapshot]);
      const stop = await client.query('SELECT lsn::text, labelfile FROM pg_backup_stop(true)');
      const segment = start.rows[0].name as string;
      const parent = backups.at(-1);
      const name = parent === undefined ? `base_${segment}` : `base_${segment}_D_${parent.record.startSegment}`;
      const control = parseControlFile(readFileSync(join(snapshot, 'global/pg_control')));
      backups.push(
        await writeWalgBackup(repository, snapshot, {
          name,
          startLsn: parseLsn(start.rows[0].lsn),
          finishLsn: parseLsn(stop.rows[0].lsn),
          systemIdentifier: control.systemIdentifier,
          label: stop.rows[0].labelfile,
          partSizeBytes: 4 * 1024 * 1024,
          ...(parent === undefined ? {} : { parent }),
        }),
      );
      snapshots.push(snapshot);
    } finally {
      await client.end();
    }
    // A file that is written to in the same tick of the clock would keep its time, and be skipped by WAL-G as well.
    await delay(50);
  }

  async function restore(
    backup: WalgBackup | undefined,
    name: string,
    jobs: number,
  ): Promise<{ directory: string; warnings: unknown[] }> {
    restores += 1;
    const directory = join(primary.directory, `${name}-${restores}`);
    const warnings: unknown[] = [];
    const log = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) };
    const restoreCommand = `cp ${join(primary.directory, 'wal')}/%f %p`;
    const target = parseRecoveryTarget({});
    const options = { backup: backup?.record.name ?? '', directory, target, restoreCommand, jobs };
    await restoreBackup(repository, { ...options, standby: false, tablespaceMappings: [] }, createContext({ log }));
    return { directory, warnings };
  }

  it('has every kind of file', () => {
    const last = [...(backups.at(-1)?.files.values() ?? [])];
    expect(last.some(({ isSkipped }) => isSkipped)).toBe(true);
    expect(
      backups.flatMap(({ files }) => [...files.values()].filter(({ isIncremented }) => isIncremented)).length,
    ).toBeGreaterThan(8);
  });

  it.each(
    [1, 2, 3].flatMap(
      (index) =>
        [
          [index, 1],
          [index, 4],
        ] as const,
    ),
  )('restores step %i with %i jobs as the snapshot is, byte by byte', async (index, jobs) => {
    const { directory, warnings } = await restore(backups[index], `step-${index}-${jobs}`, jobs);
    const snapshot = snapshots[index] ?? '';
    const listed = filesBelow(snapshot).filter((path) => !ownFiles.test(path));
    expect(
      filesBelow(directory)
        .filter((path) => !ownFiles.test(path))
        .sort(),
    ).toEqual(listed.sort());
    // The server empties unlogged relations; no delta holds their pages.
    const isUnlogged = (path: string) => listed.includes(`${path}_init`);
    for (const path of listed) {
      const [restored, original] = [directory, snapshot].map((root) => readFileSync(join(root, path)));
      expect(restored?.length, path).toBe(original?.length);
      if (!isUnlogged(path)) expect(original !== undefined && restored?.equals(original), path).toBe(true);
      const times = [directory, snapshot].map(
        (root) => lstatSync(join(root, path), { bigint: true }).mtimeNs / 1_000_000_000n,
      );
      expect(times[0], path).toBe(times[1]);
    }
    expect(warnings).toEqual([]);
  });

  it('recovers from its last step to the end', async () => {
    const { directory } = await restore(backups.at(-1), 'recovered', 2);
    giveTreeToServerUser(directory);
    await using server = await startServer({ major: 18, dataDirectory: directory });
    await waitForPromotion(server);
    const sums = `SELECT (SELECT md5(string_agg(id || v, ',' ORDER BY id)) FROM steady) AS steady,
      (SELECT md5(string_agg(id || v, ',' ORDER BY id)) FROM shrinking) AS shrinking,
      (SELECT md5(string_agg(id || v, ',' ORDER BY id)) FROM growing) AS growing,
      (SELECT count(*)::int FROM coming) AS coming, (SELECT count(*)::int FROM pg_database) AS databases`;
    expect(await server.query(sums)).toEqual(await primary.query(sums));
    await server.query('SELECT count(*) FROM unlogged');
  });
});

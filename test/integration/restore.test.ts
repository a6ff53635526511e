import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushBackup } from '../../src/backup/push.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { parseRecoveryTarget, type RecoveryTargetTexts } from '../../src/postgres/recovery-target.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import type { RestoreOptions } from '../../src/restore/plan.ts';
import { type RestoreResult, restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { startCluster } from '../support/postgres.ts';
import { prepareServer, type Server, startServer } from '../support/postgres-server.ts';
import { describeWithTools } from '../support/postgres-tools.ts';
import { runCommand } from '../support/run-command.ts';
import { readValue, waitForPause, waitForPromotion } from '../support/server-state.ts';
import { makeServerDirectory } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

const context = createContext();

interface RestoreToRun extends Partial<Omit<RestoreOptions, 'target'>> {
  readonly directory: string;
  readonly restoreCommand: string;
  readonly target?: RecoveryTargetTexts;
}

async function restore(repository: Repository, { target = {}, ...options }: RestoreToRun): Promise<RestoreResult> {
  const result = await restoreBackup(
    repository,
    {
      backup: 'LATEST',
      target: parseRecoveryTarget(target),
      standby: false,
      tablespaceMappings: [],
      jobs: 2,
      ...options,
    },
    context,
  );
  for (const path of [result.plan.directory, ...result.plan.tablespaces.map(({ location }) => location)]) {
    giveTreeToServerUser(path);
  }
  return result;
}

async function backUp(primary: Server, repository: Repository, manifestChecksum: 'CRC32C' | 'SHA256'): Promise<void> {
  const environment = primary.clientEnvironment;
  const partSizeBytes = 8 * 1024 * 1024;
  await pushBackup(
    repository,
    { environment, jobs: 2, partSizeBytes, manifestChecksum, walDeadlineMs: 60_000 },
    context,
  );
}

describe.each([14, 18] as const)('a backup of PostgreSQL %i', (major) => {
  let archive: string;
  let primary: Server;
  let repository: Repository;
  let restoreCommand: string;
  let tablespace: string;
  let lsnOf: Record<string, string>;

  beforeAll(async () => {
    archive = makeServerDirectory('seawall-archive-');
    const wal = join(archive, 'wal_005');
    mkdirSync(wal);
    giveTreeToServerUser(wal);
    primary = await startCluster({
      major,
      archiveCommand: `test ! -f ${wal}/%f && cp %p ${wal}/%f.part && mv ${wal}/%f.part ${wal}/%f`,
      settings: { max_connections: 40 },
    });
    // The server runs with more connections than its files will say at the time of the backup.
    await primary.query('ALTER SYSTEM SET max_connections = 60');
    await primary.stop();
    await primary.start();
    await primary.query('ALTER SYSTEM RESET max_connections');
    restoreCommand = `cp ${wal}/%f %p`;
    repository = createRepository(createFilesystemStore(archive), createCodec('zstd'));
    tablespace = primary.makeDirectory('ts');
    await primary.query(`CREATE TABLESPACE fast LOCATION '${tablespace}'`);
    await primary.query('CREATE TABLE moved (id int) TABLESPACE fast');
    await primary.query('INSERT INTO moved SELECT generate_series(1, 1000)');
    await primary.query('CREATE TABLE facts (id int)');
    await primary.query("ALTER SYSTEM SET recovery_target_time = '2000-01-01 00:00:00+00'");
    appendFileSync(join(primary.dataDirectory, 'postgresql.conf'), "recovery_target_name = 'of long ago'\n");
    await backUp(primary, repository, 'CRC32C');
    lsnOf = {};
    for (const id of [1, 2, 3]) {
      await primary.query('INSERT INTO facts VALUES ($1)', [id]);
      const [row] = await primary.query<{ lsn: string }>('SELECT pg_create_restore_point($1)::text AS lsn', [
        `point ${id}`,
      ]);
      lsnOf[`point ${id}`] = row?.lsn ?? '';
    }
    const [last] = await primary.query<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name');
    await waitFor('the last segment to be archived', () => existsSync(join(wal, last?.name ?? '')));
  });

  afterAll(async () => {
    await primary.destroy();
    rmSync(archive, { recursive: true, maxRetries: 20, force: true });
  });

  let destinations = 0;
  /** A destination that is new in a test's second attempt, too. */
  const mapped = (name: string) => {
    destinations += 1;
    const directory = join(primary.directory, `${name}-${destinations}`);
    return { directory, tablespaceMappings: [{ from: tablespace, to: `${directory}-ts` }], restoreCommand };
  };

  it('recovers to a restore point and pauses, whatever postgresql.conf says of earlier recoveries', async () => {
    const where = mapped('paused');
    const result = await restore(repository, { ...where, target: { name: 'point 2' } });
    expect(result.removedSettings).toEqual(["recovery_target_time = '2000-01-01 00:00:00+00'"]);
    await using server = await startServer({ major, dataDirectory: where.directory });
    await waitForPause(server);
    expect(await server.query('SELECT id FROM facts ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await server.query('SELECT count(*)::int AS count FROM moved')).toEqual([{ count: 1000 }]);
    expect(await readValue(server, "current_setting('archive_mode')")).toBe('off');
    expect(await readValue(server, "current_setting('max_connections')")).toBe('60');
    const [oid] = readdirSync(join(where.directory, 'pg_tblspc'));
    expect(readlinkSync(join(where.directory, 'pg_tblspc', oid ?? ''))).toBe(`${where.directory}-ts`);
    await server.query('SELECT pg_wal_replay_resume()');
    await waitForPromotion(server);
    await server.query('INSERT INTO facts VALUES (10)');
  });

  it('recovers to an LSN and opens for writing', async () => {
    const where = mapped('promoted');
    await restore(repository, { ...where, target: { lsn: lsnOf['point 1'] ?? '', action: 'promote' } });
    await using server = await startServer({ major, dataDirectory: where.directory });
    await waitForPromotion(server);
    expect(await server.query('SELECT id FROM facts')).toEqual([{ id: 1 }]);
  });

  it('becomes a standby', async () => {
    const where = mapped('standby');
    await restore(repository, { ...where, standby: true });
    expect(existsSync(join(where.directory, 'recovery.signal'))).toBe(false);
    await using server = await startServer({ major, dataDirectory: where.directory });
    await waitFor('the standby to catch up', async () => {
      const [row] = await server.query<{ count: number }>('SELECT count(*)::int AS count FROM facts');
      return row?.count === 3;
    });
    expect(await server.query('SELECT pg_is_in_recovery() AS recovering')).toEqual([{ recovering: true }]);
  });

  it('refuses a target from before its end', async () => {
    const refused = restore(repository, { ...mapped('too-early'), target: { time: '2020-01-01 00:00Z' } });
    await expect(refused).rejects.toThrow('serves to recover to 2020-01-01 00:00:00+00');
  });

  it('restored in place needs its tablespace to be empty', async () => {
    const refused = restore(repository, { directory: join(primary.directory, 'in-place'), restoreCommand });
    await expect(refused).rejects.toThrow(`${tablespace} is not empty`);
  });

  it('whose restore is killed cannot be started, and a second restore says why', async () => {
    const where = mapped('killed');
    const script = fileURLToPath(new URL('../support/restore-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, 'stop', archive, where.directory, tablespace], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(join(where.directory, 'PG_VERSION'))).toBe(true);
    expect(existsSync(join(where.directory, 'global/pg_control'))).toBe(false);
    giveTreeToServerUser(where.directory);
    await using server = await prepareServer({ major, dataDirectory: where.directory });
    await expect(server.start()).rejects.toThrow('the server did not start');
    await expect(restore(repository, where)).rejects.toThrow('holds a restore that is running or did not finish');
  });
});

describeWithTools('a restored directory', ({ major, path }) => {
  it.each(['CRC32C', 'SHA256'] as const)(
    'with %s in its manifest is accepted by pg_verifybackup',
    async (algorithm) => {
      await using primary = await startCluster({ major, archiveCommand: 'true' });
      const archive = primary.makeDirectory('archive');
      const wal = join(archive, 'wal_005');
      mkdirSync(wal);
      giveTreeToServerUser(archive);
      await primary.query(`ALTER SYSTEM SET archive_command = 'cp %p ${wal}/%f'`);
      await primary.query('SELECT pg_reload_conf()');
      const tablespace = primary.makeDirectory('ts');
      await primary.query(`CREATE TABLESPACE fast LOCATION '${tablespace}'`);
      await primary.query('CREATE TABLE facts TABLESPACE fast AS SELECT generate_series(1, 1000) AS id');
      const repository = createRepository(createFilesystemStore(archive), createCodec('zstd'));
      await backUp(primary, repository, algorithm);
      const directory = primary.makeDirectory('restored');
      const mapping = { from: tablespace, to: join(primary.directory, 'moved') };
      await restore(repository, { directory, restoreCommand: 'false', tablespaceMappings: [mapping] });

      const manifest = readFileSync(join(directory, 'backup_manifest'), 'utf8');
      expect(manifest).toContain(`"Checksum-Algorithm": "${algorithm}"`);
      expect(manifest).toMatch(/"Path": "pg_tblspc\/\d+\/PG_/);
      const verify = () => runCommand(path('pg_verifybackup'), ['-n', directory]);
      expect(await verify()).toMatchObject({ exitCode: 0, stderr: '' });
      appendFileSync(join(directory, 'PG_VERSION'), ' ');
      expect((await verify()).exitCode).toBe(1);
    },
  );
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { parseWalFileName } from '../../src/postgres/wal-name.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { findWal, readWal } from '../../src/repository/wal-archive.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { joined, walLikeBytes } from '../support/byte-streams.ts';
import { killIfThere } from '../support/kill-if-there.ts';
import { startCluster } from '../support/postgres.ts';
import type { PostgresMajor } from '../support/postgres-binaries.ts';
import { prepareServer, type Server } from '../support/postgres-server.ts';
import { runSeawall, seawallPath } from '../support/seawall.ts';
import { giveToServerUser, makeServerDirectory } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';
import { makeSegment } from '../support/wal-segment.ts';

const majors: readonly PostgresMajor[] = [14, 18];

/** The plain bytes of an archived file; undefined when it is not archived. */
async function archived(folder: string, fileName: string): Promise<Buffer | undefined> {
  const repository = createRepository(createFilesystemStore(folder), createCodec('zstd'));
  const [wal] = await findWal(repository, fileName);
  return wal === undefined ? undefined : await joined(readWal(repository, wal));
}

function walFilesIn(dataDirectory: string): string[] {
  return readdirSync(join(dataDirectory, 'pg_wal')).filter((name) => parseWalFileName(name) !== undefined);
}

function archiverOf(server: Server) {
  return server
    .query<{ archived_count: string; failed_count: string; last_archived_wal: string; last_failed_wal: string }>(
      'SELECT archived_count::text, failed_count::text, last_archived_wal, last_failed_wal FROM pg_stat_archiver',
    )
    .then(([row]) => {
      if (row === undefined) throw new Error('no archiver statistics');
      return row;
    });
}

/** Switches to a new segment and waits until the one before is archived; gives its name. */
async function switchAndArchive(server: Server): Promise<string> {
  const [row] = await server.query<{ name: string }>(
    "SELECT pg_walfile_name(pg_current_wal_lsn()) AS name FROM pg_logical_emit_message(false, 'test', 'a record')",
  );
  const name = row?.name ?? '';
  await server.query('SELECT pg_switch_wal()');
  await waitFor(`${name} to be archived`, async () => (await archiverOf(server)).last_archived_wal >= name);
  return name;
}

describe.each(majors)('archive_command of PostgreSQL %i', (major) => {
  let cluster: Server;
  let repository: string;
  let environment: Record<string, string>;

  beforeAll(async () => {
    const home = makeServerDirectory('seawall-push-');
    repository = join(home, 'a repository');
    mkdirSync(repository);
    giveToServerUser(repository);
    environment = { SEAWALL_REPOSITORY: repository, SEAWALL_NODE: process.execPath, HOME: home };
    const archiveCommand = `${seawallPath} wal-push "%p"`;
    cluster = await startCluster({
      major,
      archiveCommand,
      segmentSizeMib: major === 14 ? 64 : 16,
      environment,
      settings: { wal_keep_size: '2GB', wal_level: 'replica', archive_timeout: 60 },
    });
  });
  afterAll(async () => {
    await cluster.destroy();
    rmSync(join(repository, '..'), { recursive: true, maxRetries: 20 });
  });

  it('counts the failures while the repository is gone, and loses nothing', async () => {
    renameSync(repository, `${repository}.away`);
    try {
      await cluster.query('SELECT pg_logical_emit_message(false, $1, $1)', ['test']);
      await cluster.query('SELECT pg_switch_wal()');
      await waitFor('a failure', async () => Number((await archiverOf(cluster)).failed_count) > 0);
      expect(cluster.log()).toContain('archive command failed with exit code 78');
      expect(cluster.log()).toContain('seawall: error: cannot open the directory');
    } finally {
      renameSync(`${repository}.away`, repository);
    }
    await switchAndArchive(cluster);
  });

  it('archives every segment, byte for byte', async () => {
    await cluster.query('CREATE TABLE load AS SELECT n, md5(n::text) FROM generate_series(1, 300000) n');
    for (let turn = 0; turn < 4; turn += 1) await switchAndArchive(cluster);
    const last = (await archiverOf(cluster)).last_archived_wal;
    const names = walFilesIn(cluster.dataDirectory).filter((name) => name <= last);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) {
      const bytes = readFileSync(join(cluster.dataDirectory, 'pg_wal', name));
      expect((await archived(repository, name))?.equals(bytes), name).toBe(true);
    }
    expect(cluster.log()).not.toContain('seawall: warn');
  });

  it('archives the .backup file of a base backup', async () => {
    const client = await cluster.connect();
    const [start, stop] =
      major < 15
        ? ["pg_start_backup('x', true, false)", 'pg_stop_backup(false)']
        : ["pg_backup_start('x', true)", 'pg_backup_stop()'];
    await client.query(`SELECT ${start}`);
    await client.query(`SELECT ${stop}`);
    await client.end();
    const name = walFilesIn(cluster.dataDirectory).find((file) => file.endsWith('.backup')) ?? '';
    await waitFor('the file', async () => (await archived(repository, name)) !== undefined);
    expect(String(await archived(repository, name))).toMatch(/^START WAL LOCATION: /);
  });

  it('accepts a segment that is archived already, with a warning', async () => {
    const name = await switchAndArchive(cluster);
    const status = join(cluster.dataDirectory, 'pg_wal', 'archive_status');
    const { failed_count } = await archiverOf(cluster);
    await waitFor('.done', () => readdirSync(status).includes(`${name}.done`));
    renameSync(join(status, `${name}.done`), join(status, `${name}.ready`));
    // The archiver looks around anew at the latest a minute later, and sooner when another segment is ready.
    await switchAndArchive(cluster);
    await waitFor('.done again', () => readdirSync(status).includes(`${name}.done`));
    expect(cluster.log()).toContain('archived already, with the same bytes');
    expect((await archiverOf(cluster)).failed_count).toBe(failed_count);
  });

  it('refuses the segments of another cluster in the same repository, and leaves them as they are', async () => {
    const name = walFilesIn(cluster.dataDirectory).toSorted()[0] ?? '';
    const before = await archived(repository, name);
    await using other = await startCluster({
      major,
      segmentSizeMib: major === 14 ? 64 : 16,
      archiveCommand: `${seawallPath} wal-push "%p" --repository "${repository}"`,
      environment: { SEAWALL_NODE: process.execPath },
    });
    await other.query('SELECT pg_switch_wal()');
    await waitFor('a failure', async () => Number((await archiverOf(other)).failed_count) > 0);
    expect(await archiverOf(other)).toMatchObject({ archived_count: '0', last_failed_wal: name });
    expect(other.log()).toContain('archive command failed with exit code 65');
    expect(other.log()).toMatch(new RegExp(`${name}\\.zst holds other bytes than pg_wal/${name}`));
    expect((await archived(repository, name))?.equals(before ?? Buffer.alloc(0))).toBe(true);
  });

  it('refuses a segment of another cluster that was put into its pg_wal', async () => {
    const name = '00000001000000000000003F';
    const path = join(cluster.dataDirectory, 'pg_wal', name);
    const segmentSizeBytes = (major === 14 ? 64 : 16) * 1024 * 1024;
    writeFileSync(path, makeSegment({ fileName: name, segmentSizeBytes }));
    const result = await runSeawall(['wal-push', path, '--repository', repository]);
    expect(result).toMatchObject({ exitCode: 65, stderr: expect.stringContaining('system identifier') });
    expect(await archived(repository, name)).toBeUndefined();
    rmSync(path);
  });

  it('archives the history and the partial segment of a standby that was promoted', async () => {
    const directory = makeServerDirectory('seawall-standby-');
    const dataDirectory = join(directory, 'data');
    await cluster.stop();
    execFileSync('cp', ['-a', cluster.dataDirectory, dataDirectory]);
    writeFileSync(join(dataDirectory, 'standby.signal'), '');
    giveToServerUser(join(dataDirectory, 'standby.signal'));
    await cluster.start();
    const settings = { primary_conninfo: `host=${cluster.directory} user=postgres` };
    await using standby = await prepareServer({ major, dataDirectory, directory, environment, settings });
    await standby.start();
    await cluster.query('CREATE TABLE streamed AS SELECT 1 AS number');
    await waitFor('the table on the standby', () => standby.query('TABLE streamed').catch(() => false));
    await cluster.stop('immediate');
    await standby.query('SELECT pg_promote()');
    const files = () => readdirSync(join(repository, 'wal_005'));
    await waitFor('the partial segment', () => files().some((name) => name.endsWith('.partial.zst')));
    // The agent may be through with the one before a call is with the other.
    await waitFor('the history', () => files().includes('00000002.history.zst'));
    const partial =
      files()
        .find((name) => name.endsWith('.partial.zst'))
        ?.replace(/\.zst$/, '') ?? '';
    expect((await archived(repository, partial))?.length).toBe((major === 14 ? 64 : 16) * 1024 * 1024);
    expect(standby.log()).not.toContain('archive command failed');
  });
});

describe('wal-push that is killed', () => {
  it('leaves nothing half-written, and the next call succeeds', async () => {
    const folder = makeServerDirectory('seawall-killed-');
    chmodSync(folder, 0o755);
    const repository = makeServerDirectory('seawall-killed-repository-');
    const source = join(folder, 'content');
    writeFileSync(source, walLikeBytes(15_000_000));
    const content = readFileSync(source);
    let killed = 0;
    for (let turn = 1; turn <= 20; turn += 1) {
      const fileName = `0000000100000000000000${turn.toString(16).padStart(2, '0').toUpperCase()}`;
      const segment = makeSegment({ fileName, content, segmentSizeBytes: 16 * 1024 * 1024 });
      writeFileSync(join(folder, fileName), segment);
      const args = ['wal-push', join(folder, fileName), '--repository', repository];
      // Detached, so that the launcher and Node can be killed together.
      const child = spawn(seawallPath, args, {
        env: { SEAWALL_NODE: process.execPath, PATH: process.env['PATH'] },
        detached: true,
      });
      const closed = once(child, 'close');
      const isEnded = await Promise.race([closed.then(() => true), delay(turn * 6, false)]);
      if (!isEnded && killIfThere(-Number(child.pid))) killed += 1;
      await closed;
      const bytes = await archived(repository, fileName);
      if (bytes !== undefined) expect(bytes.equals(segment)).toBe(true);
      expect(await runSeawall(args)).toMatchObject({ exitCode: 0 });
      expect((await archived(repository, fileName))?.equals(segment)).toBe(true);
    }
    expect(killed).toBeGreaterThan(5);
    for (const path of [folder, repository]) rmSync(path, { recursive: true, maxRetries: 20 });
  });
});

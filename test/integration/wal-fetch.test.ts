import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spoolName } from '../../src/wal/spool.ts';
import { walLikeBytes } from '../support/byte-streams.ts';
import { killIfThere } from '../support/kill-if-there.ts';
import { startCluster } from '../support/postgres.ts';
import type { PostgresMajor } from '../support/postgres-binaries.ts';
import { prepareServer, type Server, type Settings } from '../support/postgres-server.ts';
import { runSeawall, seawallPath } from '../support/seawall.ts';
import { giveToServerUser, makeServerDirectory } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';
import { makeSegment } from '../support/wal-segment.ts';

const majors: readonly PostgresMajor[] = [14, 18];
const batches = 4;

describe.each(majors)('restore_command of PostgreSQL %i', (major) => {
  let cluster: Server;
  let base: string;
  let repository: string;
  let environment: Record<string, string>;

  /** A cluster whose WAL is archived, batch by batch in segments of their own, and a copy of it from before. */
  beforeAll(async () => {
    const home = makeServerDirectory('seawall-fetch-');
    repository = join(home, 'repository');
    base = join(home, 'base');
    mkdirSync(repository);
    giveToServerUser(repository);
    environment = { SEAWALL_REPOSITORY: repository, SEAWALL_NODE: process.execPath, HOME: home };
    const archiveCommand = `${seawallPath} wal-push "%p"`;
    cluster = await startCluster({ major, archiveCommand, environment, settings: { wal_level: 'replica' } });
    await cluster.query('CREATE TABLE batch (number int)');
    await cluster.stop();
    execFileSync('cp', ['-a', cluster.dataDirectory, base]);
    await cluster.start();
    for (let number = 1; number <= batches; number += 1) {
      await cluster.query('INSERT INTO batch VALUES ($1)', [number]);
      await cluster.query('SELECT pg_switch_wal()');
    }
    await cluster.stop();
  });
  afterAll(async () => {
    await cluster.destroy();
    rmSync(join(base, '..'), { recursive: true, maxRetries: 20 });
  });

  async function restored(signalFile: 'recovery.signal' | 'standby.signal', settings: Settings = {}): Promise<Server> {
    const directory = makeServerDirectory('seawall-restored-');
    const dataDirectory = join(directory, 'data');
    execFileSync('cp', ['-a', base, dataDirectory]);
    writeFileSync(join(dataDirectory, signalFile), '');
    giveToServerUser(join(dataDirectory, signalFile));
    const restoreCommand = { restore_command: `${seawallPath} wal-fetch "%f" "%p"`, archive_mode: 'off' };
    return await prepareServer({
      major,
      dataDirectory,
      directory,
      environment,
      settings: { ...restoreCommand, ...settings },
    });
  }

  async function batchesIn(server: Server): Promise<number[]> {
    const rows = await server.query<{ number: number }>('SELECT number FROM batch ORDER BY number');
    return rows.map(({ number }) => number);
  }

  async function promoted(server: Server): Promise<Server> {
    await waitFor('the promotion', async () => {
      const [row] = await server.query<{ recovers: boolean }>('SELECT pg_is_in_recovery() AS recovers');
      return row?.recovers === false;
    });
    return server;
  }

  /** The spool stays, but for its name it is no file in the making. */
  function leftovers(server: Server): string[] {
    return readdirSync(join(server.dataDirectory, 'pg_wal')).filter(
      (name) => name !== spoolName && (name.includes('tmp') || name.includes('RECOVERY')),
    );
  }

  /** The archived segment in which a batch is; the last batch's is the last but one. */
  function segmentOfBatch(number: number): string {
    const segments = readdirSync(join(repository, 'wal_005')).filter((name) => /^[0-9A-F]{24}\./.test(name));
    return join(repository, 'wal_005', segments.toSorted()[number] ?? '');
  }

  const everyBatch = Array.from({ length: batches }, (_, index) => index + 1);

  it('brings every row back', async () => {
    await using server = await restored('recovery.signal');
    await server.start();
    expect(await batchesIn(await promoted(server))).toEqual(everyBatch);
    expect(leftovers(server)).toEqual([]);
  });

  it('ends recovery where the archive ends, and not earlier', async () => {
    const last = segmentOfBatch(batches);
    renameSync(last, `${last}.away`);
    try {
      await using server = await restored('recovery.signal');
      await server.start();
      expect(await batchesIn(await promoted(server))).toEqual(everyBatch.slice(0, -1));
    } finally {
      renameSync(`${last}.away`, last);
    }
  });

  it.each([
    [
      'the repository is gone',
      () => renameSync(repository, `${repository}.away`),
      () => renameSync(`${repository}.away`, repository),
    ],
    [
      'the volume of the repository is not mounted',
      () => {
        renameSync(repository, `${repository}.away`);
        mkdirSync(repository);
      },
      () => {
        rmSync(repository, { recursive: true, maxRetries: 20 });
        renameSync(`${repository}.away`, repository);
      },
    ],
    ['a segment is damaged', () => flipByte(segmentOfBatch(2)), () => flipByte(segmentOfBatch(2))],
  ])('stops recovery instead of ending it early when %s, and goes on afterwards', async (_what, spoil, repair) => {
    await using server = await restored('recovery.signal');
    spoil();
    try {
      // It may let readers in before it comes to the spoilt place.
      await server.start().catch(() => undefined);
      await server.waitForExit();
    } finally {
      repair();
    }
    expect(server.log()).toContain('seawall: error: ');
    expect(server.log()).toContain('exit code 200');
    expect(server.log()).not.toContain('archive recovery complete');
    await server.start();
    expect(await batchesIn(await promoted(server))).toEqual(everyBatch);
  });

  it('lets a standby wait while the repository is gone, and go on when it is back', async () => {
    await using server = await restored('standby.signal', { wal_retrieve_retry_interval: '500ms', hot_standby: 'on' });
    renameSync(repository, `${repository}.away`);
    try {
      await server.start();
      await waitFor('the second attempt', () => server.log().split('seawall: error: ').length > 4);
      expect(await batchesIn(server)).toEqual([]);
    } finally {
      renameSync(`${repository}.away`, repository);
    }
    await waitFor('every batch', async () => (await batchesIn(server)).length === batches);
  });

  it('follows a timeline that began in the archive', async () => {
    {
      await using first = await restored('recovery.signal', { archive_mode: 'on' });
      await first.start();
      await promoted(first);
      await first.query('INSERT INTO batch VALUES (100)');
      await first.query('SELECT pg_switch_wal()');
      await first.stop();
    }
    expect(existsSync(join(repository, 'wal_005', '00000002.history.zst'))).toBe(true);
    await using second = await restored('recovery.signal');
    await second.start();
    expect(await batchesIn(await promoted(second))).toEqual([...everyBatch, 100]);
  });

  it('is gone at once when the server is stopped, and leaves nothing behind', async () => {
    const silent = await listenInSilence();
    const hanging = `${seawallPath} wal-fetch "%f" "%p" --repository s3://bucket/prefix --s3-endpoint http://127.0.0.1:${silent.port}`;
    const credentials = { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'us-east-1' };
    const launched = `env ${Object.entries(credentials)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')} ${hanging}`;
    await using server = await restored('recovery.signal', { restore_command: launched });
    const started = server.start().catch(() => undefined);
    await silent.asked;
    const before = performance.now();
    await server.stop('fast');
    await started;
    // A request is repeated for a minute.
    expect(performance.now() - before).toBeLessThan(30_000);
    expect(leftovers(server)).toEqual([]);
    silent.server.close();
  });
});

describe('wal-fetch that is killed', () => {
  it('leaves nothing half-written at the destination, and the next call succeeds', async () => {
    const repository = makeServerDirectory('seawall-killed-repository-');
    const folder = makeServerDirectory('seawall-killed-');
    const fileName = '000000010000000000000002';
    const segment = makeSegment({ fileName, content: walLikeBytes(15_000_000), segmentSizeBytes: 16 * 1024 * 1024 });
    writeFileSync(join(folder, fileName), segment);
    await runSeawall(['wal-push', join(folder, fileName), '--repository', repository]);
    const destination = join(folder, 'RECOVERYXLOG');
    const args = ['wal-fetch', fileName, destination, '--repository', repository];
    let killed = 0;
    for (let turn = 1; turn <= 20; turn += 1) {
      rmSync(destination, { force: true });
      // Detached, so that the launcher and Node can be killed together.
      const env = { SEAWALL_NODE: process.execPath, PATH: process.env['PATH'] };
      const child = spawn(seawallPath, args, { env, detached: true });
      const closed = once(child, 'close');
      const isEnded = await Promise.race([closed.then(() => true), delay(turn * 6, false)]);
      if (!isEnded && killIfThere(-Number(child.pid))) killed += 1;
      await closed;
      if (existsSync(destination)) expect(readFileSync(destination).equals(segment)).toBe(true);
      expect(await runSeawall(args)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
      expect(readFileSync(destination).equals(segment)).toBe(true);
    }
    expect(killed).toBeGreaterThan(5);
    for (const path of [folder, repository]) rmSync(path, { recursive: true, maxRetries: 20 });
  });
});

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** A server that takes connections and never answers. */
async function listenInSilence(): Promise<{ port: number; asked: Promise<unknown>; server: TcpServer }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, asked: once(server, 'connection'), server };
}

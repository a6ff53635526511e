import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PushBackupOptions, type PushedBackup, pushBackup } from '../../src/backup/push.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { type Context, createContext, silentLogger } from '../../src/context.ts';
import { BusyError, IntegrityError, PostgresError, StoreError } from '../../src/errors.ts';
import { readManifest } from '../../src/postgres/read-manifest.ts';
import { findBackup, listBackups } from '../../src/repository/backup-catalogue.ts';
import { metadataKey, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { inChunks, joined } from '../support/byte-streams.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { startCluster } from '../support/postgres.ts';
import type { Server } from '../support/postgres-server.ts';
import { readStoredBackup } from '../support/read-backup.ts';
import { takeServerManifest } from '../support/server-manifest.ts';
import { giveToServerUser, makeServerDirectory } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

const fixtures = new URL('../fixtures/walg/zstd-deltas/repo/basebackups_005/', import.meta.url);
const fixtureName = 'base_000000010000000000000002';

describe.each([14, 18] as const)('a base backup of PostgreSQL %i', (major) => {
  let directory: string;
  let server: Server;
  let repository: Repository;

  beforeAll(async () => {
    directory = makeServerDirectory('seawall-repository-');
    mkdirSync(join(directory, 'wal_005'));
    giveToServerUser(join(directory, 'wal_005'));
    repository = createRepository(createFilesystemStore(directory), createCodec('zstd'));
    // 1 MiB segments: a backup under load spans several of them.
    // Nobody but the tests changes files between two looks, and covers what was damaged.
    const settings = { autovacuum: false };
    server = await startCluster({ major, segmentSizeMib: 1, archiveCommand: archiveInto(directory), settings });
    await server.query(`create tablespace "a place" location '${server.makeDirectory('a place')}'`);
    await server.query('create table here as select n, md5(n::text) as text from generate_series(1, 50000) n');
    await server.query('create table there tablespace "a place" as select * from here');
    await server.query('checkpoint');
  });

  afterAll(async () => {
    await server.destroy();
    rmSync(directory, { recursive: true, maxRetries: 20, force: true });
  });

  function backUp(
    differing: Partial<PushBackupOptions> = {},
    context: Context = createContext(),
    into: Repository = repository,
  ): Promise<PushedBackup> {
    const options: PushBackupOptions = {
      environment: server.clientEnvironment,
      jobs: 2,
      partSizeBytes: 4_000_000,
      manifestChecksum: 'CRC32C',
      walDeadlineMs: 60_000,
      ...differing,
    };
    return pushBackup(into, options, context);
  }

  /** The repository, whose puts wait for what has begun: not even a server that stalls lets the backup be through before that. */
  function storingAfter(begun: () => Promise<unknown> | undefined): Repository {
    const put: typeof repository.store.put = async (...args) => {
      await begun();
      return await repository.store.put(...args);
    };
    return createRepository({ ...repository.store, put }, repository.codec);
  }

  async function backupKeys(): Promise<string[]> {
    return (await Array.fromAsync(repository.store.list('basebackups_005/'))).map(({ key }) => key);
  }

  /** Runs a backup that is to fail, and shows that it leaves nothing behind, neither in the repository nor at the server. */
  async function failToBackUp(backingUp: () => Promise<unknown>): Promise<unknown> {
    const before = await backupKeys();
    const error: unknown = await backingUp().then(
      () => expect.unreachable('the backup has succeeded'),
      (reason) => reason,
    );
    expect(await backupKeys()).toEqual(before);
    return error;
  }

  it('taken under load holds what its manifest, its file list and its sentinel say', async () => {
    const writer = await server.connect();
    let isDone = false;
    const writing = (async () => {
      for (let turn = 0; !isDone; turn += 1) {
        await writer.query(`drop table if exists passing_${turn}`);
        await writer.query(`create table passing_${turn} as select n from generate_series(1, 5000) n`);
        await writer.query("update here set text = text || 'x' where n % 50 = 0");
        await writer.query(`truncate passing_${turn}`);
        if (turn > 0) await writer.query(`drop table passing_${turn - 1}`);
      }
    })();
    writing.catch(() => undefined);
    const backup = await backUp({ dataDirectory: server.dataDirectory, userData: { ticket: 7 } }).finally(() => {
      isDone = true;
    });
    await writing;
    await writer.end();
    expect(backup.damagedFiles).toEqual([]);

    const { parts, manifest, filesMetadata } = await readStoredBackup(repository, backup.name);
    const entries = [...parts.values()].flat();
    const files = entries.filter(
      ({ kind, name, sizeBytes }) => kind === 'file' && (name !== 'tablespace_map' || sizeBytes > 0),
    );
    const asListed = (name: string) => name.replace(/^\//, '');
    expect(files.map(({ name, sizeBytes, checksum }) => [asListed(name), sizeBytes, checksum]).sort()).toEqual(
      manifest.map(({ path, sizeBytes, checksum }) => [path, sizeBytes, checksum?.hex]).sort(),
    );
    expect(parts.get('pg_control.tar.zst')?.map(({ name }) => name)).toEqual(['/global/pg_control']);
    expect(parts.get('backup_label.tar.zst')?.map(({ name }) => name)).toEqual(['backup_label', 'tablespace_map']);
    expect([...parts.keys()].filter((name) => name.startsWith('part_')).length).toBeGreaterThan(2);
    expect(entries.some(({ name }) => /^\/pg_tblspc\/\d+\/PG_/.test(name))).toBe(true);
    expect(entries.some(({ name }) => /^\/pg_wal\/0/.test(name))).toBe(false);

    const { Files, TarFileSets } = JSON.parse(filesMetadata);
    const listedParts = [...parts].filter(([fileName]) => fileName !== 'pg_control.tar.zst');
    expect(TarFileSets).toEqual(
      Object.fromEntries(listedParts.map(([fileName, part]) => [fileName, part.map(({ name }) => name)])),
    );
    const inData = listedParts.filter(([fileName]) => fileName.startsWith('part_')).flatMap(([, part]) => part);
    expect(Object.keys(Files).sort()).toEqual(inData.map(({ name }) => name).sort());

    const record = await findBackup(repository, 'LATEST');
    expect(record).toMatchObject({
      name: backup.name,
      uncompressedSizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      tablespaces: [{ location: join(server.directory, 'a place') }],
      dataDirectory: server.dataDirectory,
      userData: { ticket: 7n },
      isPermanent: false,
    });
    expect(record.finishLsn).toBeGreaterThan(record.startLsn);
    const last = (record.finishLsn - 1n) / 0x10_0000n;
    for (let segment = record.startLsn / 0x10_0000n; segment <= last; segment += 1n) {
      const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0');
      await repository.store.head(`wal_005/00000001${hex(segment / 0x1000n)}${hex(segment % 0x1000n)}`);
    }
  });

  it('has the fields, their order and their types that WAL-G gives its own', async () => {
    const { name } = await backUp({ isPermanent: true });
    const shapeOf = (text: string) =>
      text
        .replaceAll(/"(\/|base_|\d{5}|pg_tblspc)[^"]*"/g, '"…"')
        .replaceAll(/"(StartTime|FinishTime|start_time|finish_time)":"[^"]*Z"/g, '"$1":"time"')
        .replaceAll(/"(Hostname|hostname)":"[^"]+"/g, '"$1":"host"')
        .replaceAll(/\d{5,}/g, 'number')
        .replaceAll(/true|false/g, 'boolean');
    const ours = async (key: string) => shapeOf((await joined((await repository.store.get(key)).body)).toString());
    const theirs = (file: string) => shapeOf(readFileSync(new URL(file, fixtures), 'utf8'));
    expect(await ours(sentinelKey(name))).toBe(theirs(`${fixtureName}_backup_stop_sentinel.json`));
    expect(await ours(metadataKey(name))).toBe(theirs(`${fixtureName}/metadata.json`));
    expect((await findBackup(repository, name)).isPermanent).toBe(true);
  });

  // Before 15 the server sends its manifest in another way.
  if (major >= 15) {
    it('has the manifest that the server itself would write', async () => {
      const { name } = await backUp();
      const { manifest } = await readStoredBackup(repository, name);
      const expected: string[] = [];
      const describe = (path: string, sizeBytes: number, hex: string | undefined) => `${path} ${sizeBytes} ${hex}`;
      await readManifest(inChunks(await takeServerManifest(server)), ({ path, sizeBytes, checksum }) => {
        expected.push(describe(path, sizeBytes, checksum?.hex));
      });
      // What a checkpoint writes differs from one backup to the next.
      const isStable = (line: string) =>
        !/^(backup_label|global\/pg_control|pg_xact|pg_logical|base\/\d+\/pg_internal)/.test(line);
      const ours = manifest.map(({ path, sizeBytes, checksum }) => describe(path, sizeBytes, checksum?.hex));
      expect(ours.filter(isStable).sort()).toEqual(expected.filter(isStable).sort());
    });
  }

  it('reports a damaged page by file and block, and fails for it only when it is strict', async () => {
    await server.query('drop table if exists damaged');
    await server.query('create table damaged as select * from here');
    await server.query('checkpoint');
    const [row] = await server.query<{ path: string }>("select pg_relation_filepath('damaged') as path");
    const file = openSync(join(server.dataDirectory, row?.path ?? ''), 'r+');
    writeSync(file, 'damage', 3 * 8192 + 5000);
    closeSync(file);

    const warn = vi.fn();
    const backup = await backUp({}, createContext({ log: { ...silentLogger, warn } }));
    expect(backup.damagedFiles).toEqual([{ path: row?.path, blocks: [3] }]);
    expect(warn).toHaveBeenCalledWith({ path: row?.path, blocks: [3], blockCount: 1 }, 'damaged pages in the cluster');
    const { filesMetadata } = await readStoredBackup(repository, backup.name);
    expect(JSON.parse(filesMetadata).Files[`/${row?.path}`].CorruptBlocks).toEqual({
      CorruptBlocksCount: 1,
      SomeCorruptBlocks: [3],
    });

    const error = await failToBackUp(() => backUp({ strict: true }));
    expect(error).toBeInstanceOf(IntegrityError);
    expect((error as Error).message).toBe(`the cluster has damaged pages: ${row?.path} (block 3)`);
    await server.query('drop table damaged');
  });

  it('that is interrupted ends backup mode at the server and leaves nothing behind', async () => {
    const aborting = new AbortController();
    const reason = new Error('interrupted');
    const onProgress = () => aborting.abort(reason);
    const error = await failToBackUp(() => backUp({ onProgress }, createContext({ signal: aborting.signal })));
    expect(error).toBe(reason);
    await waitFor('the end of backup mode', () => server.log().includes('aborting backup due to backend exiting'));
    await backUp();
  });

  it('fails when the server ends its session, and leaves nothing behind', async () => {
    let isEnding: Promise<unknown> | undefined;
    const onProgress = () => {
      isEnding ??= server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'seawall basebackup'",
      );
    };
    const error = await failToBackUp(() =>
      backUp(
        { onProgress },
        createContext(),
        storingAfter(() => isEnding),
      ),
    );
    await isEnding;
    expect(error).toBeInstanceOf(PostgresError);
  });

  it('fails when the server crashes, and leaves nothing behind', async () => {
    let isStopping: Promise<void> | undefined;
    const onProgress = () => {
      isStopping ??= server.stop('immediate');
    };
    try {
      const error = await failToBackUp(() =>
        backUp(
          { onProgress },
          createContext(),
          storingAfter(() => isStopping),
        ),
      );
      expect(error).toBeInstanceOf(PostgresError);
    } finally {
      await isStopping;
      if (server.processId === undefined) await server.start();
    }
    await backUp();
  });

  it('fails before anything is copied when the WAL does not arrive, and names the segment', async () => {
    await server.query('select txid_current()');
    const onProgress = vi.fn();
    {
      using _refused = refuseWal(directory);
      const error = await failToBackUp(() => backUp({ walDeadlineMs: 1000, onProgress }));
      expect(error).toBeInstanceOf(BusyError);
      expect((error as Error).message).toMatch(/^wal segment 00000001[0-9A-F]{16} has not arrived in .* after 1\.0 s$/);
    }
    expect(onProgress).not.toHaveBeenCalled();
    await backUp();
  });

  it('fails when the WAL stops arriving while it is taken', async () => {
    using refusals = new DisposableStack();
    const onProgress = vi.fn(() => void refusals.use(refuseWal(directory)));
    const error = await failToBackUp(() => backUp({ walDeadlineMs: 10_000, onProgress }));
    expect(onProgress).toHaveBeenCalled();
    expect(error).toBeInstanceOf(BusyError);
  });

  it('succeeds beside another one that is under way, under another name', async () => {
    let beside: Promise<PushedBackup> | undefined;
    const onProgress = () => {
      beside ??= backUp();
      beside.catch(() => undefined);
    };
    const one = await backUp({ onProgress });
    const other = (await beside) as PushedBackup;
    expect(one.name).not.toBe(other.name);
    const names = (await listBackups(repository)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([one.name, other.name]));
  });

  it('at whose every store call something fails leaves no backup, until one succeeds', async () => {
    const error = new StoreError('disk full', { retryable: false });
    let failures = 0;
    for (let call = 1; ; call += 1) {
      const store = faultyStore(repository.store, { member: 'put', call, kind: 'fail', error });
      const attempt = () => backUp({ jobs: 1 }, createContext(), createRepository(store, repository.codec));
      const before = await backupKeys();
      const thrown = await attempt().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (thrown === undefined) break;
      expect(thrown).toBe(error);
      expect(await backupKeys()).toEqual(before);
      failures += 1;
    }
    // The claim, the parts, pg_control, the label, the manifest, the file list, the metadata, the sentinel.
    expect(failures).toBeGreaterThan(7);
  });
});

/** While there is the file `closed`, nothing is taken. Never half a segment; and content with what is there, for which a server asks again that was stopped before it could note the success. */
function archiveInto(directory: string): string {
  const target = `${directory}/wal_005/%f`;
  return `test ! -e ${directory}/closed && { cmp -s %p ${target} || { test ! -f ${target} && cp %p ${target}.part && mv ${target}.part ${target}; }; }`;
}

/** Closes such an archive; a backup that begins afterwards finishes a segment, of which the archiver hears at once. */
function refuseWal(directory: string): Disposable {
  const path = join(directory, 'closed');
  writeFileSync(path, '');
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

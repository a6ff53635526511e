import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pushBackup } from '../../src/backup/push.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { PostgresError } from '../../src/errors.ts';
import { createFileChecksum } from '../../src/postgres/file-checksum.ts';
import { formatInstant } from '../../src/repository/instant.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { readAccountNames } from '../../src/util/account-names.ts';
import { type Journey, startJourney } from '../support/journey.ts';
import { readStoredBackup, type StoredBackup } from '../support/read-backup.ts';

const fixtures = new URL('../fixtures/walg/zstd-deltas/repo/basebackups_005/', import.meta.url);
const fixtureName = 'base_000000010000000000000002';

interface TheirRelation {
  readonly oid: number;
  readonly relfilenode: number;
  readonly subtables?: Readonly<Record<string, TheirRelation>>;
}

interface FilesMetadataJson {
  readonly Files: Readonly<Record<string, { readonly MTime: string }>>;
  readonly TarFileSets: Readonly<Record<string, readonly string[]>>;
  readonly DatabasesByNames: Readonly<
    Record<string, { readonly oid: number; readonly tables_new: Readonly<Record<string, TheirRelation>> }>
  >;
}

/** Keys in their order and the types of their values; of objects that hold one kind of thing by name, all the kinds that occur. */
function shapeOf(value: unknown, byName: readonly string[] = [], path = ''): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(shapeOf(item))))];
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const entries = Object.entries(value);
  if (byName.includes(path)) {
    return [...new Set(entries.map(([, item]) => JSON.stringify(shapeOf(item, byName, `${path}.*`))))].sort();
  }
  return entries.map(([key, item]) => [key, shapeOf(item, byName, `${path}.${key}`)]);
}

describe('a backup', () => {
  let journey: Journey;
  let location: string;
  let begunAtMs: number;
  let name: string;
  let stored: StoredBackup;
  let files: FilesMetadataJson;
  let textOf: (file: string) => Promise<string>;

  beforeAll(async () => {
    journey = await startJourney({ settings: { autovacuum: false } });
    const { cluster } = journey;
    location = cluster.makeDirectory('ts');
    await cluster.query(`create tablespace ts location '${location}'`);
    await cluster.query('create table facts (id int primary key, v text)');
    await cluster.query('create table spread (id int) tablespace ts');
    await cluster.query('create table parts (id int primary key) partition by range (id)');
    await cluster.query('create table parts_1 partition of parts for values from (0) to (10)');
    await cluster.query('create table parts_2 partition of parts for values from (10) to (20) partition by range (id)');
    await cluster.query('create table parts_2_1 partition of parts_2 for values from (10) to (15)');
    await cluster.query('create schema "a.b"');
    await cluster.query('create schema a');
    await cluster.query('create table "a.b".c ()');
    await cluster.query('create table a."b.c" ()');
    await cluster.query('create view seen as select * from facts');
    await cluster.query('create database "Bücher, alle"');
    await cluster.query('create database closed allow_connections false');
    await cluster.query('truncate facts');
    await cluster.query('checkpoint');
    // A file that was written to just now is listed with another time.
    await delay(200);
    begunAtMs = Date.now();
    name = await journey.backUp(
      '--jobs',
      '1',
      '--permanent',
      '--user-data',
      '{"run":18446744073709551615,"by":["x",1.5]}',
    );
    const repository = createRepository(createFilesystemStore(journey.repositoryPath), createCodec('zstd'));
    stored = await readStoredBackup(repository, name);
    files = JSON.parse(stored.filesMetadata);
    textOf = (file) => readFile(join(journey.repositoryPath, 'basebackups_005', file), 'utf8');
  });

  afterAll(() => journey?.[Symbol.asyncDispose]());

  it("lists its files, parts and relations in WAL-G's keys, their order and their types", () => {
    const theirs = JSON.parse(readFileSync(new URL(`${fixtureName}/files_metadata.json`, fixtures), 'utf8'));
    const byName = ['.Files', '.TarFileSets', '.DatabasesByNames', '.DatabasesByNames.*.tables_new'];
    // The fixture has no partitions.
    const { DatabasesByNames, ...rest } = files;
    const plain = { ...DatabasesByNames['postgres'], tables_new: {} as Record<string, unknown> };
    for (const [relation, { oid, relfilenode }] of Object.entries(DatabasesByNames['postgres']?.tables_new ?? {})) {
      plain.tables_new[relation] = { oid, relfilenode };
    }
    const ours = { ...rest, DatabasesByNames: { postgres: plain } };
    expect(shapeOf(ours, byName)).toEqual(shapeOf(theirs, byName));
  });

  it('names its files as its parts do, with their times to the nanosecond', () => {
    const entries = [...stored.parts].flatMap(([part, all]) => (part.startsWith('part_') ? all : []));
    expect(Object.keys(files.Files).sort()).toEqual(entries.map((entry) => entry.name).sort());
    const known = entries.filter((entry) => entry.kind === 'file' && /^\/(base|PG_VERSION|pg_tblspc)/.test(entry.name));
    const timeOf = (path: string) => statSync(join(journey.cluster.dataDirectory, path), { bigint: true }).mtimeNs;
    // Of a file that the server has written to since, nobody can tell any more what time it had.
    const quiet = known.filter((entry) => Number(timeOf(entry.name) / 1_000_000n) < begunAtMs - 100);
    const different = quiet.filter((entry) => files.Files[entry.name]?.MTime !== formatInstant(timeOf(entry.name)));
    expect(different).toEqual([]);
    expect(quiet.length).toBeGreaterThan(900);
  });

  it('names whom its files belong to, as far as the machine does', async () => {
    const { users, groups } = await readAccountNames();
    const { uid, gid } = statSync(journey.cluster.dataDirectory);
    for (const part of ['part_001.tar.zst', 'pg_control.tar.zst']) {
      const path = join(journey.repositoryPath, 'basebackups_005', name, 'tar_partitions', part);
      const header = zstdDecompressSync(readFileSync(path)).toString('latin1', 0, 512);
      const [user, group] = [265, 297].map((offset) => header.slice(offset, offset + 32).replace(/\0+$/, ''));
      expect({ user, group }).toEqual({ user: users.get(uid) ?? '', group: groups.get(gid) ?? '' });
    }
  });

  it('has the sizes of its files, of its parts as stored, and of all that was found', async () => {
    const sentinel = JSON.parse(await textOf(`${name}_backup_stop_sentinel.json`));
    const entries = [...stored.parts.values()].flat();
    expect(sentinel.UncompressedSize).toBe(entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const parts = [...stored.parts.keys()].map((part) =>
      statSync(join(journey.repositoryPath, 'basebackups_005', name, 'tar_partitions', part)),
    );
    expect(sentinel.CompressedSize).toBe(parts.reduce((sum, { size }) => sum + size, 0));
    expect(sentinel.DataCatalogSize).toBeGreaterThan(sentinel.UncompressedSize);
  });

  it("keeps numbers exactly, and the user's data in both objects", async () => {
    const [sentinel, metadata] = [
      await textOf(`${name}_backup_stop_sentinel.json`),
      await textOf(`${name}/metadata.json`),
    ];
    expect(sentinel).toContain('"UserData":{"run":18446744073709551615,"by":["x",1.5]},"ChkpNum":null,"Version":2,');
    expect(metadata).toMatch(/,"user_data":\{"run":18446744073709551615,"by":\["x",1\.5\]\}\}$/);
    const [row] = await journey.cluster.query<{ identifier: string }>(
      'select system_identifier::text as identifier from pg_control_system()',
    );
    expect(sentinel).toContain(`"SystemIdentifier":${row?.identifier},`);
    expect(metadata).toContain(`"system_identifier":${row?.identifier},`);
    expect(metadata).toContain('"is_permanent":true');
    const time = /"(?:StartTime|FinishTime)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z"/g;
    expect(sentinel.match(time)).toHaveLength(2);
    expect(await journey.succeed('show', name)).toContain('{"run":"18446744073709551615","by":["x",1.5]}');
  });

  it('names every relation with files by database, partitions below their root, as the catalog does', async () => {
    const { DatabasesByNames } = files;
    expect(Object.keys(DatabasesByNames).sort()).toEqual(['Bücher, alle', 'postgres', 'template1']);
    const tables = DatabasesByNames['postgres']?.tables_new ?? {};
    const listed = new Map<string, number>();
    const note = (relations: Readonly<Record<string, TheirRelation>>) => {
      for (const [relation, { relfilenode, subtables = {} }] of Object.entries(relations)) {
        listed.set(relation, relfilenode);
        note(subtables);
      }
    };
    note(tables);
    const catalog = await journey.cluster.query<{ name: string; file: number }>(
      `select nspname || '.' || relname as name, coalesce(pg_relation_filenode(c.oid), 0::oid) as file
       from pg_class c join pg_namespace n on n.oid = relnamespace
       where relkind = 'p' or pg_relation_filenode(c.oid) is not null`,
    );
    const expected = new Map(catalog.map((relation) => [relation.name, relation.file]));
    // One of the two whose names seem the same.
    expected.set('a.b.c', listed.get('a.b.c') ?? 0);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(expected));

    expect(Object.keys(tables['public.parts']?.subtables ?? {}).sort()).toEqual([
      'public.parts_1',
      'public.parts_2',
      'public.parts_2_1',
    ]);
    expect(tables['public.parts']?.relfilenode).toBe(0);
    expect(tables['public.parts_1_pkey']?.relfilenode).toBeGreaterThan(0);
    expect(tables['public.facts']?.relfilenode).not.toBe(tables['public.facts']?.oid);
    expect(tables['pg_catalog.pg_class']).toEqual({ oid: 1259, relfilenode: expect.any(Number) });
  });

  it('leaves the names of relations out, or the whole list of files, where that is asked for', async () => {
    const unnamed = await journey.backUp('--without-relation-names', 'on');
    expect(Object.keys(JSON.parse(await textOf(`${unnamed}/files_metadata.json`)))).toEqual(['Files', 'TarFileSets']);
    const unlisted = await journey.backUp('--without-files-metadata', 'on');
    await expect(textOf(`${unlisted}/files_metadata.json`)).rejects.toThrow('ENOENT');
    const sentinel = await textOf(`${unlisted}_backup_stop_sentinel.json`);
    expect(sentinel).toContain(',"FilesMetadataDisabled":true,"ChkpNum":null,');
    await using restored = await journey.restore(unlisted, ['--tablespace-mapping', `${location}=${location}2`]);
    await restored.start();
    expect(await restored.query('select count(*)::int as count from facts')).toEqual([{ count: 0 }]);
  });

  it('goes on, with a warning, when a database does not let it in', async () => {
    const { cluster } = journey;
    await cluster.query('create role taker login in role pg_read_all_settings, pg_checkpoint');
    await cluster.query('grant execute on function pg_backup_start(text, bool), pg_backup_stop(bool) to taker');
    await cluster.query('revoke connect on database template1 from public');
    const repository = createRepository(createFilesystemStore(journey.repositoryPath), createCodec('zstd'));
    const warn = vi.fn();
    const backup = await pushBackup(
      repository,
      {
        environment: { ...cluster.clientEnvironment, PGUSER: 'taker' },
        jobs: 1,
        partSizeBytes: 1024 ** 3,
        manifestChecksum: 'CRC32C',
        walDeadlineMs: 60_000,
      },
      createContext({ log: { ...silentLogger, warn } }),
    );
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      { err: expect.any(PostgresError), database: 'template1' },
      expect.stringMatching(/^cannot list the relations of this database/),
    );
    const listed: FilesMetadataJson = JSON.parse(await textOf(`${backup.name}/files_metadata.json`));
    expect(Object.keys(listed.DatabasesByNames).sort()).toEqual(['Bücher, alle', 'postgres']);
  });

  it('taken under load lists no file with a time by which a delta would skip it, and miss what was written since', async () => {
    const { cluster } = journey;
    let isDone = false;
    const writing = (async () => {
      const writer = await cluster.connect();
      for (let turn = 0; !isDone; turn += 1) {
        await writer.query(`drop table if exists t${turn}`);
        await writer.query(`create table t${turn} as select n, md5(n::text) as v from generate_series(1, 2000) n`);
        await writer.query(`update t${turn} set v = v || 'x'`);
        await writer.query('checkpoint');
      }
      await writer.end();
    })();
    writing.catch(() => undefined);
    const loaded = await journey.backUp().finally(() => {
      isDone = true;
    });
    await writing;
    await cluster.query('checkpoint');
    const repository = createRepository(createFilesystemStore(journey.repositoryPath), createCodec('zstd'));
    const { manifest, filesMetadata } = await readStoredBackup(repository, loaded);
    const { Files }: FilesMetadataJson = JSON.parse(filesMetadata);
    const counts = { skipped: 0, included: 0 };
    for (const { path, checksum } of manifest) {
      const place = join(cluster.dataDirectory, path);
      const listed = Files[`/${path}`];
      if (listed === undefined || !existsSync(place)) continue;
      const isSkipped = listed.MTime === formatInstant(statSync(place, { bigint: true }).mtimeNs);
      counts[isSkipped ? 'skipped' : 'included'] += 1;
      if (!isSkipped) continue;
      const now = createFileChecksum('CRC32C');
      now.update(readFileSync(place));
      expect(now.digest(), path).toBe(checksum?.hex);
    }
    expect(counts.skipped).toBeGreaterThan(900);
    expect(counts.included).toBeGreaterThan(0);
  });
});

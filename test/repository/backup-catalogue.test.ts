import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { noneCodec } from '../../src/codec/none.ts';
import { IntegrityError, NotFoundError, StoreError } from '../../src/errors.ts';
import { type DamagedBackup, findBackup, listBackups } from '../../src/repository/backup-catalogue.ts';
import { filesMetadataKey, metadataKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';

const folder = new URL('../fixtures/walg/zstd-deltas/repo/basebackups_005/', import.meta.url);
const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const deltaOnDelta = 'base_000000010000000000000006_D_000000010000000000000004';

let minute: number;
let repository: Repository;

beforeEach(() => {
  minute = 0;
  const now = () => new Date(Date.UTC(2026, 10, 21, 7, minute));
  repository = createRepository(createMemoryStore({ now }), noneCodec);
});

async function store(key: string, bytes: Uint8Array | string): Promise<void> {
  minute += 1;
  await repository.store.put(key, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
}

async function storeBackup(name: string): Promise<void> {
  await store(`${partsPrefix(name)}part_001.tar.zst`, 'part');
  await store(metadataKey(name), readFileSync(new URL(`${name}/metadata.json`, folder)));
  await store(filesMetadataKey(name), '{}');
  await store(sentinelKey(name), readFileSync(new URL(`${name}_backup_stop_sentinel.json`, folder)));
}

describe('the catalogue of backups', () => {
  it('lists what WAL-G wrote, the newest last, with everything that its sentinel and its name say', async () => {
    for (const name of [full, delta, deltaOnDelta]) await storeBackup(name);
    const backups = await listBackups(repository);
    expect(backups.map((backup) => backup.name)).toEqual([full, delta, deltaOnDelta]);
    expect(backups[2]).toMatchObject({
      startSegment: '000000010000000000000006',
      timeline: 1,
      startLsn: 100_663_336n,
      systemIdentifier: 7_710_517_932_700_386_965n,
      parent: { name: delta, fullName: full, count: 2 },
      isPermanent: false,
      modifiedAt: new Date('2026-11-21T07:12:00Z'),
    });
  });

  it('orders by the time at which the sentinel was stored, not by name', async () => {
    for (const name of [deltaOnDelta, full, delta]) await storeBackup(name);
    expect((await listBackups(repository)).map((backup) => backup.name)).toEqual([deltaOnDelta, full, delta]);
    expect((await findBackup(repository, 'LATEST')).name).toBe(delta);
  });

  it('orders sentinels of the same instant by name', async () => {
    const atOnce = createRepository(createMemoryStore({ now: () => new Date(0) }), noneCodec);
    for (const name of [deltaOnDelta, full]) {
      await atOnce.store.put(sentinelKey(name), readFileSync(new URL(`${name}_backup_stop_sentinel.json`, folder)));
    }
    expect((await findBackup(atOnce, 'LATEST')).name).toBe(deltaOnDelta);
  });

  it('does not take parts without a sentinel for a backup', async () => {
    await storeBackup(full);
    await store(`${partsPrefix(delta)}part_001.tar.zst`, 'part');
    await store('basebackups_005/base_notes_backup_stop_sentinel.json', 'something else');
    expect((await listBackups(repository)).map((backup) => backup.name)).toEqual([full]);
    await expect(findBackup(repository, delta)).rejects.toThrow(NotFoundError);
  });

  it('believes metadata.json, not the sentinel, about permanence', async () => {
    await storeBackup(full);
    const metadata = readFileSync(new URL(`${full}/metadata.json`, folder)).toString();
    await store(metadataKey(full), metadata.replace('"is_permanent":false', '"is_permanent":true'));
    expect((await findBackup(repository, full)).isPermanent).toBe(true);
  });

  it('reads a backup without metadata.json by its sentinel alone', async () => {
    await storeBackup(full);
    await repository.store.delete([metadataKey(full)]);
    expect((await findBackup(repository, full)).isPermanent).toBe(false);
  });

  it('finds a backup by name, and says which is missing', async () => {
    await storeBackup(full);
    expect((await findBackup(repository, full)).name).toBe(full);
    await expect(findBackup(repository, delta)).rejects.toThrow(`no backup "${delta}" in memory://`);
    await expect(findBackup(repository, '../etc')).rejects.toThrow('no backup "../etc" in memory://');
  });

  it('has no LATEST while it is empty', async () => {
    await expect(findBackup(repository, 'LATEST')).rejects.toThrow(NotFoundError);
    expect(await listBackups(repository)).toEqual([]);
  });

  it('names the key of a damaged sentinel', async () => {
    await storeBackup(full);
    await store(sentinelKey(full), '{"LSN":');
    await expect(listBackups(repository)).rejects.toThrow(IntegrityError);
    await expect(findBackup(repository, 'LATEST')).rejects.toThrow(sentinelKey(full));
  });

  it('says so when a backup is by WAL-E', async () => {
    const walE = 'base_000000010000000000000002_00000040';
    const json =
      '{"wal_segment_backup_stop":"000000010000000000000003","expanded_size_bytes":1,"spec":{"tablespaces":[]}}';
    await store(sentinelKey(walE), json);
    await expect(findBackup(repository, walE)).rejects.toThrow(`${walE} is a backup by WAL-E`);
    await store(sentinelKey(walE), '{"LSN":33554472,"FinishLSN":33554720,"PgVersion":90600}');
    expect((await findBackup(repository, walE)).startSegment).toBe('000000010000000000000002');
  });

  it('passes over the lists of files in a sentinel, however long', async () => {
    const entry = (index: number) => `"/base/1/${index}":{"IsSkipped":false}`;
    const files = Array.from({ length: 20_000 }, (_, index) => entry(index)).join(',');
    const rest = '"LSN":33554472,"FinishLSN":33554720,"PgVersion":90600';
    await store(sentinelKey(full), `{"Files":{${files}},"TarFileSets":{"part_001.tar":["/x"]},${rest}}`);
    expect((await findBackup(repository, full)).pgVersion).toBe(90_600);
  });

  it('refuses a sentinel of fifty megabytes, and names it', async () => {
    const json = `{"LSN":1,"FinishLSN":2,"PgVersion":180004,"UserData":"${'x'.repeat(50_000_000)}"}`;
    await store(sentinelKey(full), json);
    await expect(findBackup(repository, full)).rejects.toThrow(/_backup_stop_sentinel\.json .*UserData has more than/);
  });

  it('lists the others when it may report the damaged one', async () => {
    for (const name of [full, delta]) await storeBackup(name);
    await store(sentinelKey(full), '');
    const damaged: DamagedBackup[] = [];
    const backups = await listBackups(repository, { onDamaged: (backup) => damaged.push(backup) });
    expect(backups.map((backup) => backup.name)).toEqual([delta]);
    expect(damaged.map((backup) => backup.name)).toEqual([full]);
  });

  it('never takes a failure of the store for damage or absence', async () => {
    await storeBackup(full);
    const failing = {
      ...repository.store,
      get: () => Promise.reject(new StoreError('cannot read', { retryable: false })),
    };
    const listing = listBackups(createRepository(failing, noneCodec), { onDamaged: () => expect.unreachable() });
    await expect(listing).rejects.toThrow(StoreError);
  });
});

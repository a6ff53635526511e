import { beforeEach, describe, expect, it } from 'vitest';
import { noneCodec } from '../../src/codec/none.ts';
import { createContext } from '../../src/context.ts';
import { PermissionError, StoreError } from '../../src/errors.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { listBackups } from '../../src/repository/backup-catalogue.ts';
import { backupManifestKey, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { readInventory } from '../../src/retention/inventory.ts';
import { planDeletion } from '../../src/retention/plan.ts';
import type { DeleteRequest } from '../../src/retention/request.ts';
import { type DeletionResult, runDeletion } from '../../src/retention/run.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { storeBackup } from '../support/stored-backup.ts';

const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const newest = 'base_000000010000000000000008';
const dayMs = 24 * 60 * 60 * 1000;
const retainOne: DeleteRequest = {
  kind: 'retain',
  count: 1,
  modifier: undefined,
  after: undefined,
  useSentinelTime: false,
};
const garbage: DeleteRequest = { kind: 'garbage', only: undefined, withoutBackups: false };

let minute: number;
let store: ObjectStore;

beforeEach(async () => {
  minute = 0;
  store = createMemoryStore({ now: () => new Date(Date.UTC(2026, 0, 1, 0, minute++)) });
  const repository = createRepository(store, noneCodec);
  for (let segment = 1; segment < 10; segment += 1)
    await store.put(`wal_005/00000001000000000000000${segment}`, new Uint8Array(10));
  const parent = { name: full, fullName: full, count: 1, startLsn: parseLsn('0/2000028') };
  await storeBackup(repository, { name: full });
  await storeBackup(repository, {
    name: delta,
    sentinel: { parent, startLsn: parseLsn('0/4000028'), finishLsn: parseLsn('0/4000100') },
  });
  await storeBackup(repository, {
    name: newest,
    sentinel: {
      startLsn: parseLsn('0/8000028'),
      finishLsn: parseLsn('0/8000100'),
      startedAt: new Date('2026-02-01T00:00:00Z'),
    },
  });
});

/** Plans on what the store holds, and carries it out on the other store. */
async function remove(
  request: DeleteRequest,
  on: ObjectStore = store,
  now = new Date(Date.UTC(2026, 5)),
): Promise<DeletionResult> {
  const context = createContext({ clock: { now: () => now, sleep: async () => undefined } });
  const inventory = await readInventory(createRepository(store, noneCodec), context);
  const repository: Repository = createRepository(on, noneCodec);
  return await runDeletion(repository, planDeletion(inventory, request), inventory.segmentSizeBytes, context);
}

async function keys(prefix = ''): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
}

/** A store that will not delete these keys, as one with locked objects. */
function refusing(...locked: string[]): ObjectStore {
  return {
    ...store,
    delete: async (wanted, options) => {
      const refused = wanted.find((key) => locked.includes(key));
      if (refused !== undefined) throw new PermissionError(`cannot delete ${refused}: it is locked`);
      await store.delete(wanted, options);
    },
  };
}

describe('a deletion', () => {
  it('removes what the plan says, and leaves the rest as it is', async () => {
    const kept = [
      ...(await keys(`basebackups_005/${newest}`)),
      'wal_005/000000010000000000000008',
      'wal_005/000000010000000000000009',
    ];
    const count = (await keys()).length;
    const result = await remove(retainOne);
    expect(await keys()).toEqual(kept.sort());
    expect(result.objectCount).toBe(count - kept.length);
  });

  it('takes the sentinels away first, those of children before those of their parents, then parts, what holds the names, and WAL', async () => {
    const watched = faultyStore(store);
    await remove(retainOne, watched);
    expect(watched.calls.map(({ key }) => key)).toEqual([
      sentinelKey(delta),
      sentinelKey(full),
      expect.stringContaining(`${delta}/tar_partitions`),
      backupManifestKey(delta),
      expect.stringContaining(`${full}/tar_partitions`),
      backupManifestKey(full),
      'wal_005/000000010000000000000001',
    ]);
  });

  it('that is interrupted at any call leaves whole backups, and garbage that is removed later', async () => {
    for (let call = 1; ; call += 1) {
      const faulty = faultyStore(store, {
        member: 'delete',
        call,
        kind: 'fail',
        error: new StoreError('gone', { retryable: true }),
      });
      const before = await listBackups(createRepository(store, noneCodec));
      const error: unknown = await remove(retainOne, faulty).then(
        () => undefined,
        (reason) => reason,
      );
      const after = await listBackups(createRepository(store, noneCodec));
      for (const { name, parent } of after) {
        expect((await keys(`basebackups_005/${name}/`)).length).toBeGreaterThan(2);
        if (parent !== undefined) expect(after.map((backup) => backup.name)).toContain(parent.name);
      }
      expect(after.length).toBeLessThanOrEqual(before.length);
      if (error === undefined) break;
      expect(error).toBeInstanceOf(StoreError);
    }
    await remove(garbage, store, new Date(Date.UTC(2026, 5) + 2 * dayMs));
    expect(await keys('basebackups_005/')).toEqual(await keys(`basebackups_005/${newest}`));
  });

  it('leaves as garbage what stood under a sentinel that is gone', async () => {
    await store.delete([sentinelKey(delta), sentinelKey(full)]);
    await remove(garbage);
    expect(await keys('basebackups_005/')).toEqual(await keys(`basebackups_005/${newest}`));
    expect(await keys('wal_005/')).toEqual(['wal_005/000000010000000000000008', 'wal_005/000000010000000000000009']);
  });

  it('does the rest when an object is refused, and fails at the end', async () => {
    const locked = 'wal_005/000000010000000000000003';
    const removing = remove(retainOne, refusing(locked));
    await expect(removing).rejects.toThrow(PermissionError);
    await expect(removing).rejects.toThrow(/could not delete 1 of the objects/);
    expect((await keys('wal_005/')).slice(0, 2)).toEqual([locked, 'wal_005/000000010000000000000008']);
    expect(await keys(`basebackups_005/${full}`)).toEqual([]);
  });

  it('leaves a backup whole whose sentinel is refused, with what it stands on and its WAL', async () => {
    const before = await keys();
    await expect(remove(retainOne, refusing(sentinelKey(delta)))).rejects.toThrow(PermissionError);
    const gone = before.filter((key) => key.startsWith('wal_005/') && key < 'wal_005/000000010000000000000002');
    expect(await keys()).toEqual(before.filter((key) => !gone.includes(key)));
  });

  it('gives up at once when the store cannot be reached', async () => {
    const faulty = faultyStore(store, { member: 'delete', call: 1, kind: 'fail' });
    const before = await keys();
    await expect(remove(retainOne, faulty)).rejects.toThrow('the store is out of order');
    expect(faulty.calls).toHaveLength(1);
    expect(await keys()).toEqual(before);
  });

  it('stops asking a store that lets nothing go', async () => {
    for (let segment = 0; segment < 300; segment += 1) {
      await store.put(
        `wal_005/000000010000000000000001.00000${segment.toString(16).padStart(3, '0')}.backup`,
        new Uint8Array(1),
      );
    }
    const all = refusing(...(await keys()));
    const watched = faultyStore(all);
    await expect(remove(retainOne, watched)).rejects.toThrow(PermissionError);
    expect(watched.calls.length).toBeLessThan(200);
  });
});

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { noneCodec } from '../../src/codec/none.ts';
import { IntegrityError, UsageError } from '../../src/errors.ts';
import { listBackups } from '../../src/repository/backup-catalogue.ts';
import { metadataKey, sentinelKey } from '../../src/repository/layout.ts';
import { markBackup } from '../../src/repository/mark-backup.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { walgFixture } from '../support/walg-fixture.ts';

const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const deltaOnDelta = 'base_000000010000000000000006_D_000000010000000000000004';

let store: ObjectStore;

beforeEach(async () => {
  store = createMemoryStore();
  for (const key of [full, delta, deltaOnDelta].flatMap((name) => [metadataKey(name), sentinelKey(name)])) {
    await store.put(key, readFileSync(walgFixture(`zstd-deltas/repo/${key}`)));
  }
});

const repositoryOn = (on: ObjectStore = store) => createRepository(on, noneCodec);

async function permanentNames(): Promise<string[]> {
  return (await listBackups(repositoryOn())).filter(({ isPermanent }) => isPermanent).map(({ name }) => name);
}

describe('marking a backup', () => {
  it('makes permanent what it stands on, and says which were not before', async () => {
    expect(await markBackup(repositoryOn(), delta, true)).toEqual([full, delta]);
    expect(await markBackup(repositoryOn(), deltaOnDelta, true)).toEqual([deltaOnDelta]);
    expect(await markBackup(repositoryOn(), full, true)).toEqual([]);
    expect(await permanentNames()).toEqual([full, delta, deltaOnDelta]);
  });

  it('makes impermanent the one alone, and none on which a permanent one stands', async () => {
    await markBackup(repositoryOn(), deltaOnDelta, true);
    await expect(markBackup(repositoryOn(), delta, false)).rejects.toThrow(UsageError);
    expect(await markBackup(repositoryOn(), deltaOnDelta, false)).toEqual([deltaOnDelta]);
    expect(await permanentNames()).toEqual([full, delta]);
  });

  it('leaves every digit of the rest of metadata.json as it was', async () => {
    const written = readFileSync(walgFixture(`zstd-deltas/repo/${metadataKey(full)}`), 'utf8');
    const text = written.replace('}', ',"later":{"n":18446744073709551615}}');
    await store.put(metadataKey(full), Buffer.from(text));
    await markBackup(repositoryOn(), full, true);
    const { body } = await store.get(metadataKey(full));
    const marked = Buffer.concat(await Array.fromAsync(body)).toString();
    expect(marked).toBe(text.replace('permanent":false', 'permanent":true'));
  });

  it('names a parent that is missing, and marks nothing then', async () => {
    await store.delete([sentinelKey(full)]);
    await expect(markBackup(repositoryOn(), deltaOnDelta, true)).rejects.toThrow(IntegrityError);
    await expect(markBackup(repositoryOn(), deltaOnDelta, true)).rejects.toThrow(full);
    expect(await permanentNames()).toEqual([]);
  });

  it('refuses a chain that leads back to itself', async () => {
    const text = readFileSync(walgFixture(`zstd-deltas/repo/${sentinelKey(delta)}`), 'utf8');
    await store.put(
      sentinelKey(delta),
      Buffer.from(text.replace(`"DeltaFrom":"${full}"`, `"DeltaFrom":"${deltaOnDelta}"`)),
    );
    await expect(markBackup(repositoryOn(), deltaOnDelta, true)).rejects.toThrow(/stands upon it in turn/);
    expect(await permanentNames()).toEqual([]);
  });

  it('leaves nothing permanent upon what is not, whichever call fails', async () => {
    for (let call = 1; ; call += 1) {
      const faulty = faultyStore(store, { kind: 'fail', call });
      const isDone = await markBackup(repositoryOn(faulty), deltaOnDelta, true).then(
        () => true,
        () => false,
      );
      const names = await permanentNames();
      expect([full, delta, deltaOnDelta].slice(0, names.length)).toEqual(names);
      if (isDone && call > faulty.calls.length) break;
    }
    expect(await permanentNames()).toEqual([full, delta, deltaOnDelta]);
  });
});

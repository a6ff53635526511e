import { beforeEach, describe, expect, it } from 'vitest';
import { claimName } from '../../src/backup/claim-name.ts';
import { noneCodec } from '../../src/codec/none.ts';
import { createContext } from '../../src/context.ts';
import { AlreadyExistsError, StoreError } from '../../src/errors.ts';
import { backupManifestKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { withRetries } from '../../src/storage/with-retries.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { faultyStore } from '../support/faulty-store.ts';

const name = 'base_000000010000000000000002';
let store: ObjectStore;

beforeEach(() => {
  store = createMemoryStore();
});

function claim(on = store): Promise<void> {
  return claimName(createRepository(on, noneCodec), name, createContext({ clock: fakeClock() }));
}

describe('the claim on the name of a backup', () => {
  it('is won by exactly one of several backups that begin at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claim()));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(7);
    expect(refused.every(({ reason }) => reason instanceof AlreadyExistsError)).toBe(true);
  });

  it.each([sentinelKey(name), `${partsPrefix(name)}part_001.tar.zst`])(
    'is refused where a backup or its beginnings lie, and leaves nothing: %s',
    async (key) => {
      await store.put(key, new Uint8Array());
      await expect(claim()).rejects.toThrow(AlreadyExistsError);
      await expect(claim()).rejects.toThrow(key);
      expect((await Array.fromAsync(store.list(''))).map((object) => object.key)).toEqual([key]);
    },
  );

  it('does not mind the neighbours', async () => {
    await store.put(sentinelKey(`base_000000010000000000000004_D_${name.slice(5)}`), new Uint8Array());
    await store.put(sentinelKey('base_000000010000000000000001'), new Uint8Array());
    await expect(claim()).resolves.toBeUndefined();
  });

  it('knows itself again when the answer to its first attempt was lost', async () => {
    const policy = { initialDelayMs: 1, maximumDelayMs: 1, deadlineMs: 1000 };
    const lossy = faultyStore(store, { member: 'put', call: 1, kind: 'lose-answer' });
    await claim(withRetries(lossy, policy, createContext({ clock: fakeClock() })));
    expect((await store.head(backupManifestKey(name))).sizeBytes).toBeGreaterThan(0);
  });

  it('passes a failure of the store on', async () => {
    const broken = faultyStore(store, { member: 'put', call: 1, kind: 'fail' });
    await expect(claim(broken)).rejects.toThrow(StoreError);
  });
});

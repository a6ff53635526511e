import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { StoreError } from '../../../src/errors.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { createStoredFiles } from '../../../src/wal/agent/stored-files.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type Fault, type FaultyStore, faultyStore } from '../../support/faulty-store.ts';

const name = (number: number) => `00000001000000000000${number.toString(16).padStart(4, '0').toUpperCase()}`;

let memory: ObjectStore;
beforeEach(() => {
  memory = createMemoryStore();
});

function storedFiles(...faults: readonly Fault[]) {
  const clock = fakeClock();
  const store: FaultyStore = faultyStore(memory, ...faults);
  const repository = createRepository(store, createCodec('zstd'));
  const find = createStoredFiles(repository, clock);
  const keysOf = async (fileName: string) => (await find(repository, fileName)).map(({ key }) => key);
  return { keysOf, clock, store };
}

async function put(...keys: readonly string[]): Promise<void> {
  for (const key of keys) await memory.put(`wal_005/${key}`, new Uint8Array(1));
}

describe('the listing for many files', () => {
  it('asks the repository once for a row of segments', async () => {
    await put(
      `${name(1)}.zst`,
      `${name(3)}.lz4`,
      name(4),
      `${name(4)}.zst`,
      `${name(4)}.partial.zst`,
      '00000002.history.zst',
    );
    const { keysOf, store } = storedFiles();
    expect(await keysOf(name(2))).toEqual([]);
    expect(await keysOf(name(3))).toEqual([`wal_005/${name(3)}.lz4`]);
    expect(await keysOf(name(4))).toEqual([`wal_005/${name(4)}`, `wal_005/${name(4)}.zst`]);
    expect(await keysOf(name(0x1000))).toEqual([]);
    expect(store.calls).toHaveLength(1);
  });

  it('asks once also when many want to know at the same time', async () => {
    const { keysOf, store } = storedFiles();
    await Promise.all([keysOf(name(2)), keysOf(name(3)), keysOf(name(4))]);
    expect(store.calls).toHaveLength(1);
  });

  it('asks anew for other timelines, earlier segments, other kinds of files, and after ten seconds', async () => {
    await put('00000002.history.zst');
    const { keysOf, clock, store } = storedFiles();
    await keysOf(name(2));
    await keysOf(name(1));
    await keysOf('000000020000000000000002');
    expect(await keysOf('00000002.history')).toEqual(['wal_005/00000002.history.zst']);
    expect(store.calls).toHaveLength(4);
    await put('000000020000000000000002.zst');
    clock.advance(10_000);
    expect(await keysOf('000000020000000000000002')).toHaveLength(1);
    clock.advance(-60_000);
    await keysOf('000000020000000000000002');
    expect(store.calls).toHaveLength(6);
  });

  it('knows what it does not know when there are very many', async () => {
    for (let number = 0; number < 1_100; number += 1) await put(`${name(number)}.zst`, `${name(number)}.lz4`);
    const { keysOf, store } = storedFiles();
    for (let number = 0; number < 1_100; number += 1) expect(await keysOf(name(number))).toHaveLength(2);
    expect(store.calls).toHaveLength(3);
  });

  it('asks again after a failure', async () => {
    const { keysOf } = storedFiles({ member: 'list', call: 1, kind: 'fail' });
    await expect(keysOf(name(2))).rejects.toThrow(StoreError);
    expect(await keysOf(name(2))).toEqual([]);
  });
});

import { beforeEach, describe, expect, it, vi } from 'vitest';
import { beginObjects } from '../../src/backup/stored-objects.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { IntegrityError, StoreError } from '../../src/errors.ts';
import { backupManifestKey, metadataKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { walLikeBytes } from '../support/byte-streams.ts';
import { faultyStore } from '../support/faulty-store.ts';

const name = 'base_000000010000000000000002';
const other = 'base_000000010000000000000004';
const { signal } = new AbortController();
let store: ObjectStore;
let repository: Repository;

beforeEach(() => {
  store = createMemoryStore();
  repository = createRepository(store, createCodec('zstd'));
});

async function keys(): Promise<string[]> {
  return (await Array.fromAsync(store.list(''))).map(({ key }) => key);
}

describe('the objects of a backup', () => {
  it('count the parts as they are stored, and nothing else', async () => {
    const objects = await beginObjects(repository, name, createContext());
    await objects.putPart('part_001.tar.zst', walLikeBytes(100_000), signal);
    await objects.putPart('part_002.tar.zst', walLikeBytes(50_000), signal);
    await objects.put(metadataKey(name), new Uint8Array(1000), signal);
    const parts = await Array.fromAsync(store.list(partsPrefix(name)));
    expect(objects.partsSizeBytes).toBe(parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  });

  it('are looked for once more before the sentinel, and one that somebody has removed or replaced is named', async () => {
    const objects = await beginObjects(repository, name, createContext());
    const part = `${partsPrefix(name)}part_001.tar.zst`;
    await objects.putPart('part_001.tar.zst', walLikeBytes(100_000), signal);
    await objects.put(metadataKey(name), new Uint8Array(10), signal);
    await objects.requireAll(signal);
    await store.put(part, new Uint8Array(10));
    await expect(objects.requireAll(signal)).rejects.toThrow(part);
    await objects.putPart('part_001.tar.zst', walLikeBytes(100_000), signal);
    await store.delete([metadataKey(name)]);
    await expect(objects.requireAll(signal)).rejects.toThrow(IntegrityError);
  });

  it('are removed by the key, those of other backups are not', async () => {
    await store.put(sentinelKey(other), new Uint8Array());
    const objects = await beginObjects(repository, name, createContext());
    await objects.putPart('part_001.tar.zst', new Uint8Array(), signal);
    await objects.put(metadataKey(name), new Uint8Array(), signal);
    await objects.removeAll();
    expect(await keys()).toEqual([sentinelKey(other)]);
  });

  it('are removed even when the answer to storing them was lost', async () => {
    const lossy = faultyStore(store, { member: 'put', call: 2, kind: 'lose-answer' });
    const objects = await beginObjects(createRepository(lossy, createCodec('zstd')), name, createContext());
    await expect(objects.put(sentinelKey(name), new Uint8Array(), signal)).rejects.toThrow(StoreError);
    expect(await keys()).toContain(sentinelKey(name));
    await objects.removeAll();
    expect(await keys()).toEqual([]);
  });

  it('lose the sentinel before what it promises, and the claim on the name last', async () => {
    const recording = faultyStore(store);
    const objects = await beginObjects(createRepository(recording, createCodec('zstd')), name, createContext());
    await objects.putPart('part_001.tar.zst', new Uint8Array(), signal);
    await objects.put(sentinelKey(name), new Uint8Array(), signal);
    await objects.removeAll();
    const deletions = recording.calls.filter(({ member }) => member === 'delete');
    expect(deletions.map(({ key }) => key)).toEqual([
      sentinelKey(name),
      `${partsPrefix(name)}part_001.tar.zst`,
      backupManifestKey(name),
    ]);
    expect(await keys()).toEqual([]);
  });

  it('that cannot be removed are told of, and the failure that led to it is left to speak', async () => {
    const warn = vi.fn();
    const broken = faultyStore(store, { member: 'delete', call: 1, kind: 'fail' });
    const context = createContext({ log: { ...silentLogger, warn } });
    const objects = await beginObjects(createRepository(broken, createCodec('zstd')), name, context);
    await objects.putPart('part_001.tar.zst', new Uint8Array(), signal);
    await objects.removeAll();
    expect(warn).toHaveBeenCalledWith(
      { prefix: `basebackups_005/${name}/`, cause: 'the store is out of order' },
      'objects of the failed backup are left behind',
    );
  });
});

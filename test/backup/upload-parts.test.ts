import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileRecords } from '../../src/backup/file-records.ts';
import { beginObjects } from '../../src/backup/stored-objects.ts';
import { uploadParts } from '../../src/backup/upload-parts.ts';
import { noneCodec } from '../../src/codec/none.ts';
import { createContext } from '../../src/context.ts';
import { StoreError } from '../../src/errors.ts';
import { partsPrefix } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { readTar } from '../../src/restore/tar-entries.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { withRetries } from '../../src/storage/with-retries.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { faultyStore } from '../support/faulty-store.ts';

const name = 'base_000000010000000000000002';
const fileBytes = 3_000_000;
const partCount = 6;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-upload-'));
  for (let index = 0; index < partCount; index += 1)
    writeFileSync(join(folder, `file${index}`), Buffer.alloc(fileBytes));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Uploads a file per part. */
async function upload(store: ObjectStore, { jobs = 2, signal = new AbortController().signal } = {}) {
  const paths = Array.from({ length: partCount }, (_, index) => `file${index}`);
  const files = { paths, sizesBytes: paths.map(() => fileBytes) };
  const records = createFileRecords(partCount);
  const parts = paths.map((_, index) => ({ number: index + 1, files: [index] }));
  const repository = createRepository(store, noneCodec);
  const objects = await beginObjects(repository, name, createContext());
  const checkPages = async () => [];
  const reuseBlocks = false;
  const source = {
    dataDirectory: folder,
    files,
    records,
    reuseBlocks,
    checksumAlgorithm: 'CRC32C' as const,
    checkPages,
  };
  const reported: number[] = [];
  const onBytes = (sizeBytes: number) => reported.push(sizeBytes);
  const uploading = uploadParts(repository, objects, parts, source, { jobs, signal, onBytes });
  return { uploading, reported, objects };
}

async function storedNames(store: ObjectStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { key } of store.list(partsPrefix(name))) {
    for await (const entry of readTar((await store.get(key)).body, key, true)) names.push(entry.name);
  }
  return names.sort();
}

const allNames = Array.from({ length: partCount }, (_, index) => `/file${index}`);

describe('the upload of parts', () => {
  it.each([1, 2, 16])('stores every part, %i side by side', async (jobs) => {
    const store = createMemoryStore();
    const { uploading, reported } = await upload(store, { jobs });
    await uploading;
    expect(await storedNames(store)).toEqual(allNames);
    expect(reported.reduce((sum, sizeBytes) => sum + sizeBytes, 0)).toBe(partCount * fileBytes);
  });

  it('begins a part again after a failure that passes, and counts its bytes once', async () => {
    const store = createMemoryStore();
    const shaky = faultyStore(store, { member: 'put', call: 3, kind: 'break', after: 2_500_000 });
    const policy = { initialDelayMs: 10, maximumDelayMs: 100, deadlineMs: 10_000 };
    const { uploading, reported, objects } = await upload(
      withRetries(shaky, policy, createContext({ clock: fakeClock() })),
    );
    await uploading;
    expect(await storedNames(store)).toEqual(allNames);
    expect(Math.min(...reported)).toBeLessThan(0);
    expect(reported.reduce((sum, sizeBytes) => sum + sizeBytes, 0)).toBe(partCount * fileBytes);
    const sizes = (await Array.fromAsync(store.list(partsPrefix(name)))).map(({ sizeBytes }) => sizeBytes);
    expect(objects.partsSizeBytes).toBe(sizes.reduce((sum, sizeBytes) => sum + sizeBytes, 0));
  });

  it('stops the other parts when one fails, and has come to rest when it throws', async () => {
    const store = createMemoryStore();
    const error = new StoreError('disk full', { retryable: false });
    const broken = faultyStore(store, { member: 'put', call: 3, kind: 'fail', error });
    const { uploading } = await upload(broken);
    await expect(uploading).rejects.toBe(error);
    const puts = () => broken.calls.filter(({ member }) => member === 'put').length;
    const before = puts();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(puts()).toBe(before);
    expect(before).toBeLessThan(partCount);
  });

  it('ends with the reason of an abort', async () => {
    const aborting = new AbortController();
    const held = faultyStore(createMemoryStore(), {
      member: 'put',
      call: 4,
      kind: 'hold',
      until: async () => aborting.abort(new Error('interrupted')),
    });
    const { uploading } = await upload(held, { signal: aborting.signal });
    await expect(uploading).rejects.toThrow('interrupted');
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { type Context, createContext, silentLogger } from '../../src/context.ts';
import {
  AlreadyExistsError,
  BusyError,
  IntegrityError,
  LocalFileError,
  StoreError,
  UsageError,
} from '../../src/errors.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { pushWal } from '../../src/wal/push.ts';
import { joined, walLikeBytes } from '../support/byte-streams.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { makeSegment } from '../support/wal-segment.ts';

const fileName = '000000010000000000000002';
const key = `wal_005/${fileName}.zst`;
const segment = makeSegment({ fileName, content: walLikeBytes(600_000) });
const history = '1\t0/5000000\tno recovery target specified\n';
const backupHistory = `START WAL LOCATION: 0/200028 (file ${fileName})\nCHECKPOINT LOCATION: 0/200060\n`;
const zstd = createCodec('zstd');

let folder: string;
let store: ObjectStore;
let repository: Repository;
let context: Context;
const warn = vi.fn();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-push-'));
  await mkdir(join(folder, 'pg_wal'));
  store = createMemoryStore();
  repository = createRepository(store, zstd);
  warn.mockReset();
  context = createContext({ log: { ...silentLogger, warn } });
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, 'pg_wal', name);
  await writeFile(path, bytes);
  return path;
}

async function push(name: string, bytes: Uint8Array | string, to = repository) {
  return await pushWal(to, { path: await write(name, bytes) }, context);
}

async function keys(): Promise<string[]> {
  return (await Array.fromAsync(store.list(''))).map((object) => object.key);
}

async function contentOf(objectKey: string): Promise<Buffer> {
  return await joined(zstd.decode((await store.get(objectKey)).body));
}

describe('push', () => {
  it('stores a segment under its name, compressed as the repository is set', async () => {
    expect(await push(fileName, segment)).toEqual({
      fileName,
      key,
      outcome: 'stored',
      sizeBytes: segment.length,
      modifiedAt: expect.any(Date),
    });
    expect((await contentOf(key)).equals(segment)).toBe(true);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    [`${fileName}.partial`, segment],
    ['00000002.history', Buffer.from(history)],
    [`${fileName}.00000028.backup`, Buffer.from(backupHistory)],
  ])('stores %s under its own name', async (name, bytes) => {
    await push(fileName, segment);
    await push(name, bytes);
    expect((await contentOf(`wal_005/${name}.zst`)).equals(bytes)).toBe(true);
    expect((await keys()).length).toBe(2);
  });

  it.each(['32', '64'])('stores a segment of %s MiB', async (mib) => {
    const segmentSizeBytes = Number(mib) * 1024 * 1024;
    const large = makeSegment({ fileName, segmentSizeBytes });
    await push(fileName, large);
    expect((await contentOf(key)).equals(large)).toBe(true);
  });

  it.each([
    ['an empty segment', fileName, ''],
    ['a segment that is cut short', fileName, segment.subarray(0, 8192)],
    ['a segment with a damaged header', fileName, makeSegment({ fileName, magic: 0 })],
    ['a recycled segment', fileName, makeSegment({ fileName: '000000010000000000000001' })],
    ['a segment of a newer PostgreSQL', fileName, makeSegment({ fileName, magic: 0xd200 })],
    ['an empty history', '00000002.history', ''],
    ['a history of another timeline', '00000002.history', history.replace('1', '7')],
    ['an empty backup history', `${fileName}.00000028.backup`, ''],
  ])('refuses %s and stores nothing', async (_what, name, bytes) => {
    await expect(push(name, bytes)).rejects.toThrow(IntegrityError);
    expect(await keys()).toEqual([]);
  });

  it('stores a segment of a newer PostgreSQL when told to', async () => {
    const path = await write(fileName, makeSegment({ fileName, magic: 0xd200 }));
    await pushWal(repository, { path, acceptUnknownMagic: true }, context);
    expect(await keys()).toEqual([key]);
  });

  it.each([
    'segment.txt',
    '00000001000000000000000G',
    `${fileName}.gz`,
    `${fileName}.done`,
    '000000000000000000000001',
  ])('refuses a path that ends in %s, which is no WAL file name', async (name) => {
    await expect(push(name, segment)).rejects.toThrow(UsageError);
  });

  it('says what is wrong with %f', async () => {
    const result = pushWal(repository, { path: fileName }, context);
    await expect(result).rejects.toMatchObject({ constructor: LocalFileError, hint: expect.stringContaining('%p') });
  });
});

describe('push of what is archived already', () => {
  it('succeeds with one warning when the bytes are the same, and stores no second object', async () => {
    await push(fileName, segment);
    const [before] = await Array.fromAsync(store.list(''));
    expect(await push(fileName, segment)).toMatchObject({ outcome: 'present', key });
    expect(await Array.fromAsync(store.list(''))).toEqual([before]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('refuses other bytes, names the object with its time and size, and leaves it as it is', async () => {
    await push(fileName, segment);
    const [before] = await Array.fromAsync(store.list(''));
    const result = push(fileName, makeSegment({ fileName, content: walLikeBytes(600_000, 2) }));
    await expect(result).rejects.toThrow(AlreadyExistsError);
    await expect(result).rejects.toThrow(`memory://${key} holds other bytes than ${join(folder, 'pg_wal', fileName)}`);
    await expect(result).rejects.toThrow(before?.modifiedAt.toISOString());
    await expect(result).rejects.toThrow('KiB');
    expect((await contentOf(key)).equals(segment)).toBe(true);
    expect(await Array.fromAsync(store.list(''))).toEqual([before]);
  });

  it('refuses the first segment of a cluster that was made anew', async () => {
    await push(fileName, segment);
    await expect(push(fileName, makeSegment({ fileName, systemIdentifier: 77n }))).rejects.toThrow(AlreadyExistsError);
  });

  it('refuses a history with other bytes', async () => {
    await push('00000002.history', history);
    await expect(push('00000002.history', history.replace('5', '6'))).rejects.toThrow(AlreadyExistsError);
  });

  it.each(['', '.'])('finds it under another spelling, with the ending %j', async (ending) => {
    await store.put(`wal_005/${fileName}${ending}`, segment);
    expect(await push(fileName, segment)).toMatchObject({ outcome: 'present', key: `wal_005/${fileName}${ending}` });
    expect(await keys()).toEqual([`wal_005/${fileName}${ending}`]);
    const other = makeSegment({ fileName, content: walLikeBytes(1000, 3) });
    await expect(push(fileName, other)).rejects.toThrow(AlreadyExistsError);
  });

  it('compares with every spelling', async () => {
    await push(fileName, segment);
    await store.put(`wal_005/${fileName}`, makeSegment({ fileName }));
    await expect(push(fileName, segment)).rejects.toThrow(AlreadyExistsError);
  });

  it('refuses to call it archived when it cannot be read', async () => {
    await store.put(`wal_005/${fileName}.lzo`, segment);
    await expect(push(fileName, segment)).rejects.toThrow(`${fileName}.lzo`);
    expect(await keys()).toEqual([`wal_005/${fileName}.lzo`]);
  });

  it.each([
    ['flipped', (bytes: Buffer) => bytes.fill((bytes[5000] ?? 0) ^ 1, 5000, 5001)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['emptied', () => Buffer.alloc(0)],
  ])('is no success when the stored object is damaged: %s', async (_what, damage) => {
    await push(fileName, segment);
    const stored = await joined((await store.get(key)).body);
    await store.put(key, damage(stored));
    const result = push(fileName, segment);
    await expect(result).rejects.toThrow(IntegrityError);
    await expect(result).rejects.toThrow(key);
  });

  it('takes a lost race like any other', async () => {
    const racing = faultyStore(store, {
      member: 'put',
      call: 1,
      kind: 'hold',
      until: () => store.put(key, () => zstd.encode(one(segment))),
    });
    expect(await push(fileName, segment, createRepository(racing, zstd))).toMatchObject({ outcome: 'present' });
    await store.delete([key]);
    const other = makeSegment({ fileName, content: walLikeBytes(1000, 3) });
    const lost = faultyStore(store, {
      member: 'put',
      call: 1,
      kind: 'hold',
      until: () => store.put(key, () => zstd.encode(one(other))),
    });
    await expect(push(fileName, segment, createRepository(lost, zstd))).rejects.toThrow(AlreadyExistsError);
    expect((await contentOf(key)).equals(other)).toBe(true);
  });

  it('lets exactly one of many hosts store it', async () => {
    const path = await write(fileName, segment);
    const results = await Promise.all(Array.from({ length: 8 }, () => pushWal(repository, { path }, context)));
    expect(results.filter(({ outcome }) => outcome === 'stored').length).toBe(1);
  });
});

describe('push that is interrupted', () => {
  it.each(['fail', 'lose-answer', 'break', 'hold'] as const)(
    'leaves nothing wrong when call after call ends in "%s"',
    async (kind) => {
      for (let call = 1; ; call += 1) {
        store = createMemoryStore();
        const fault = {
          call,
          kind,
          after: 1000,
          until: () => Promise.reject(new StoreError('hangs', { retryable: true })),
        };
        const faulty = faultyStore(store, fault);
        const isSuccess = await push(fileName, segment, createRepository(faulty, zstd)).then(
          () => true,
          () => false,
        );
        for (const stored of await keys()) expect((await contentOf(stored)).equals(segment)).toBe(true);
        if (isSuccess) expect(await keys()).toEqual([key]);
        await push(fileName, segment, createRepository(store, zstd));
        expect((await contentOf(key)).equals(segment)).toBe(true);
        if (faulty.calls.length < call) return;
      }
    },
  );

  it('refuses a segment that changes while it is read, and stores nothing', async () => {
    const changing = faultyStore(store, {
      member: 'put',
      call: 1,
      kind: 'hold',
      until: () => write(fileName, makeSegment({ fileName, content: walLikeBytes(600_000, 9) })),
    });
    await expect(push(fileName, segment, createRepository(changing, zstd))).rejects.toThrow(
      'changed while it was read',
    );
    expect(await keys()).toEqual([]);
  });

  it('gives up when the store hangs', async () => {
    const hang = Promise.withResolvers<void>();
    const hanging = faultyStore(store, { member: 'list', call: 1, kind: 'hold', until: () => hang.promise });
    const path = await write(fileName, segment);
    const impatient = createContext({ clock: { now: () => new Date(), sleep: () => delay(20) } });
    const result = pushWal(createRepository(hanging, zstd), { path, deadlineMs: 1000 }, impatient);
    await expect(result).rejects.toThrow(BusyError);
    await expect(result).rejects.toThrow(fileName);
    hang.resolve();
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const stopping = faultyStore(store, {
      member: 'put',
      call: 1,
      kind: 'hold',
      until: async () => controller.abort(),
    });
    const path = await write(fileName, segment);
    const result = pushWal(createRepository(stopping, zstd), { path }, createContext({ signal: controller.signal }));
    await expect(result).rejects.toThrow(/aborted/);
    expect(await keys()).toEqual([]);
  });

  it('makes what a dead writer left in a directory durable before it says that it is there', async () => {
    const directory = createFilesystemStore(folder);
    const repositoryInDirectory = createRepository(directory, zstd);
    expect(await push(fileName, segment, repositoryInDirectory)).toMatchObject({ outcome: 'stored' });
    const watched = faultyStore(directory);
    expect(await push(fileName, segment, createRepository(watched, zstd))).toMatchObject({ outcome: 'present' });
    expect(watched.calls.map(({ member }) => member)).toEqual(['list', 'put', 'get']);
  });

  it('makes what somebody else has stored in another compression durable, too, or fails', async () => {
    const directory = createFilesystemStore(folder);
    await push(fileName, segment, createRepository(directory, createCodec('lz4')));
    const watched = faultyStore(directory);
    expect(await push(fileName, segment, createRepository(watched, zstd))).toMatchObject({ outcome: 'present' });
    expect(watched.calls.map(({ member }) => member)).toEqual(['list', 'get', 'put']);
    expect(watched.calls.at(-1)?.key).toBe(`wal_005/${fileName}.lz4`);
    const failing = faultyStore(directory, { kind: 'fail', member: 'put', call: 1 });
    await expect(push(fileName, segment, createRepository(failing, zstd))).rejects.toThrow(StoreError);
    expect(await Array.fromAsync(directory.list('wal_005/'))).toHaveLength(1);
  });
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codecForSuffix, createCodec } from '../../src/codec/codecs.ts';
import { type Context, createContext, silentLogger } from '../../src/context.ts';
import {
  BusyError,
  ConfigError,
  IntegrityError,
  LocalFileError,
  NotFoundError,
  PermissionError,
  StoreError,
  UsageError,
} from '../../src/errors.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { fetchWal } from '../../src/wal/fetch.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { type FaultyStore, faultyStore } from '../support/faulty-store.ts';
import { quickClock } from '../support/quick-clock.ts';
import { makeSegment } from '../support/wal-segment.ts';

const fileName = '000000010000000000000002';
const key = `wal_005/${fileName}.zst`;
const segment = makeSegment({ fileName, content: walLikeBytes(600_000) });
const otherSegment = makeSegment({ fileName, content: walLikeBytes(600_000, 2) });
const history = Buffer.from('1\t0/5000000\tno recovery target specified\n');
const zstd = createCodec('zstd');

let folder: string;
let destination: string;
let store: ObjectStore;
let repository: Repository;
let context: Context;
const warn = vi.fn();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-fetch-'));
  await mkdir(join(folder, 'pg_wal'));
  destination = join(folder, 'pg_wal', 'RECOVERYXLOG');
  store = createMemoryStore();
  repository = createRepository(store, zstd);
  warn.mockReset();
  context = createContext({ log: { ...silentLogger, warn }, clock: quickClock });
});
afterEach(() => rm(folder, { recursive: true }));

async function archive(name: string, bytes: Uint8Array): Promise<void> {
  const body = name.endsWith('.zst') ? await joined(zstd.encode(inChunks(bytes))) : bytes;
  await store.put(`wal_005/${name}`, body);
}

async function fetch(name = fileName, from = repository) {
  return await fetchWal(from, { fileName: name, destination }, context);
}

async function placed(): Promise<Buffer | undefined> {
  const names = await readdir(join(folder, 'pg_wal'));
  expect(names.filter((name) => name !== 'RECOVERYXLOG')).toEqual([]);
  return names.length === 0 ? undefined : await readFile(destination);
}

describe('fetch', () => {
  it('brings a segment back with one request', async () => {
    await archive(`${fileName}.zst`, segment);
    const watched = faultyStore(store);
    const { sizeBytes } = await store.head(key);
    expect(await fetch(fileName, createRepository(watched, zstd))).toEqual({
      fileName,
      key,
      storedSizeBytes: sizeBytes,
    });
    expect((await placed())?.equals(segment)).toBe(true);
    expect(watched.calls).toEqual([{ member: 'get', key }]);
  });

  it.each(['', '.', '.lz4', '.br', '.lzma'])(
    'finds the ending %j by one listing, and the next file with the same ending at once',
    async (ending) => {
      const suffix = ending.slice(1);
      const next = '000000010000000000000003';
      for (const name of [fileName, next]) {
        const bytes = makeSegment({ fileName: name });
        const stored = await joined(codecForSuffix(suffix)?.encode(inChunks(bytes)) ?? inChunks(bytes));
        await store.put(`wal_005/${name}${ending}`, stored);
      }
      const watched = faultyStore(store);
      const from = createRepository(watched, zstd);
      await fetch(fileName, from);
      const found = `wal_005/${fileName}${ending}`;
      const isFirst = { member: 'get', key };
      expect(watched.calls).toEqual([
        isFirst,
        { member: 'list', key: `wal_005/${fileName}` },
        { member: 'get', key: found },
      ]);
      await fetch(next, from);
      expect(watched.calls.slice(3)).toEqual([{ member: 'get', key: `wal_005/${next}${ending}` }]);
    },
  );

  it('replaces what is at the destination', async () => {
    await archive(`${fileName}.zst`, segment);
    await writeFile(destination, 'left over');
    await fetch();
    expect((await placed())?.equals(segment)).toBe(true);
  });

  it('brings the same file back as often as it is asked', async () => {
    await archive(`${fileName}.zst`, segment);
    for (let turn = 0; turn < 3; turn += 1) {
      await fetch();
      expect((await placed())?.equals(segment)).toBe(true);
    }
  });

  it.each(['', '.'])('finds a file that is spelt with the ending %j', async (ending) => {
    await archive(fileName + ending, segment);
    expect(await fetch()).toMatchObject({ key: `wal_005/${fileName}${ending}` });
    expect((await placed())?.equals(segment)).toBe(true);
  });

  it.each(['00000002.history', `${fileName}.00000028.backup`, `${fileName}.partial`])(
    'brings %s back',
    async (name) => {
      const contents = [
        history,
        Buffer.from(`START WAL LOCATION: 0/200028 (file ${fileName})\nCHECKPOINT LOCATION: 0/200060\n`),
        segment,
      ];
      const content = contents[['history', 'backup', 'partial'].indexOf(name.split('.').at(-1) ?? '')] ?? segment;
      await archive(`${name}.zst`, content);
      await fetch(name);
      expect((await placed())?.equals(content)).toBe(true);
    },
  );

  it.each([
    `${fileName}.partial.zst`,
    `${fileName}.partial`,
    `${fileName}.00000028.backup.zst`,
    `${fileName}.00000028.backup`,
    `${fileName}.json`,
    '000000020000000000000002.zst',
  ])('does not take %s for the segment', async (name) => {
    await archive(name, segment);
    await expect(fetch()).rejects.toThrow(NotFoundError);
    expect(await placed()).toBeUndefined();
  });

  it('refuses what is no name of a WAL file', async () => {
    for (const name of ['x', '../../etc/passwd', '', 'RECOVERYXLOG'])
      await expect(fetch(name)).rejects.toThrow(UsageError);
  });

  it('says what is wrong with the destination', async () => {
    await archive(`${fileName}.zst`, segment);
    const result = fetchWal(repository, { fileName, destination: join(folder, 'none', 'x') }, context);
    await expect(result).rejects.toThrow(LocalFileError);
  });
});

describe('fetch of what is absent', () => {
  it('says so when the repository holds WAL', async () => {
    await archive('000000010000000000000001.zst', segment);
    await expect(fetch()).rejects.toThrow(NotFoundError);
    await expect(fetch('00000002.history')).rejects.toThrow('00000002.history is not in memory://');
    expect(await placed()).toBeUndefined();
  });

  it('says so when the repository holds only a backup', async () => {
    await store.put(`basebackups_005/base_${fileName}_backup_stop_sentinel.json`, Buffer.from('{}'));
    await expect(fetch()).rejects.toThrow(NotFoundError);
  });

  it('is undecided when the repository is empty, as a volume that is not mounted is', async () => {
    await expect(fetch()).rejects.toThrow(ConfigError);
    await store.put('lost+found', Buffer.alloc(0));
    await expect(fetch()).rejects.toThrow('holds neither WAL nor backups');
  });

  it('is undecided when any request of the proof fails', async () => {
    await archive('000000010000000000000001.zst', segment);
    const refused = new PermissionError('denied');
    const watched = faultyStore(store);
    await expect(fetch(fileName, createRepository(watched, zstd))).rejects.toThrow(NotFoundError);
    for (let call = 1; call <= watched.calls.length; call += 1) {
      const faulty = faultyStore(store, { call, kind: 'fail', error: refused });
      await expect(fetch(fileName, createRepository(faulty, zstd))).rejects.toBe(refused);
    }
    expect(watched.calls.length).toBeGreaterThanOrEqual(3);
  });

  it('finds a file that arrives between the first request and the listing', async () => {
    await archive('000000010000000000000001.zst', segment);
    const arriving = faultyStore(store, {
      member: 'list',
      call: 1,
      kind: 'hold',
      until: () => archive(`${fileName}.zst`, segment),
    });
    await fetch(fileName, createRepository(arriving, zstd));
    expect((await placed())?.equals(segment)).toBe(true);
  });

  it('looks again when a listed file is gone', async () => {
    await archive(fileName, segment);
    const vanishing = faultyStore(store, {
      member: 'get',
      call: 2,
      kind: 'fail',
      error: new NotFoundError('it does not exist'),
    });
    await fetch(fileName, createRepository(vanishing, zstd));
    expect(vanishing.calls.filter(({ member }) => member === 'get').length).toBe(4);
  });
});

describe('fetch of what is damaged', () => {
  const compressed = () => joined(zstd.encode(inChunks(segment)));

  it.each([
    ['has a flipped bit', async () => flip(await compressed(), 5000)],
    ['is cut off', async () => (await compressed()).subarray(0, -1)],
    ['is empty', async () => Buffer.alloc(0)],
    ['is another segment', () => joined(zstd.encode(inChunks(makeSegment({ fileName: '000000010000000000000003' }))))],
    ['is too short', () => joined(zstd.encode(inChunks(segment.subarray(0, 500_000))))],
    ['is too long', () => joined(zstd.encode(inChunks(Buffer.concat([segment, Buffer.alloc(1)]))))],
    ['is of zeros', () => joined(zstd.encode(inChunks(Buffer.alloc(segment.length))))],
    ['is no segment at all', () => joined(zstd.encode(inChunks(history)))],
  ])('refuses an object that %s, and leaves nothing at the destination', async (_what, make) => {
    await store.put(key, await make());
    await expect(fetch()).rejects.toThrow(IntegrityError);
    await expect(fetch()).rejects.toThrow(fileName);
    expect(await placed()).toBeUndefined();
  });

  it.each([
    ['empty', Buffer.alloc(0)],
    ['rubbish', Buffer.from('<html>')],
    ['of a later timeline', Buffer.from('5\t0/5000000\tx\n')],
  ])('refuses a history that is %s', async (_what, bytes) => {
    await archive('00000002.history.zst', bytes);
    await expect(fetch('00000002.history')).rejects.toThrow(IntegrityError);
    expect(await placed()).toBeUndefined();
  });

  it('takes another spelling of the same file, and warns', async () => {
    await store.put(key, flip(await compressed(), 5000));
    await archive(fileName, segment);
    expect(await fetch()).toMatchObject({ key: `wal_005/${fileName}` });
    expect((await placed())?.equals(segment)).toBe(true);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('passes over damaged copies in a listing', async () => {
    await archive(fileName, segment.subarray(0, 1000));
    await archive(`${fileName}.`, segment);
    expect(await fetch()).toMatchObject({ key: `wal_005/${fileName}.` });
    expect((await placed())?.equals(segment)).toBe(true);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('refuses two objects of one name with different bytes, and names both', async () => {
    await archive(fileName, segment);
    await archive(`${fileName}.`, otherSegment);
    const result = fetch();
    await expect(result).rejects.toThrow(IntegrityError);
    await expect(result).rejects.toThrow(
      `memory://wal_005/${fileName} and memory://wal_005/${fileName}. hold different`,
    );
    expect(await placed()).toBeUndefined();
  });

  it('stops reading a bomb', async () => {
    let readBytes = 0;
    async function* endless() {
      yield segment;
      for (;;) {
        readBytes += segment.length;
        yield segment;
      }
    }
    const bomb: ObjectStore = {
      ...store,
      get: async () => ({ key, sizeBytes: 10, modifiedAt: new Date(), body: endless() }),
      list: store.list,
    };
    await expect(fetch(fileName, createRepository(bomb, createCodec('none')))).rejects.toThrow('goes on after');
    expect(readBytes).toBeLessThan(10 * segment.length);
    expect(await placed()).toBeUndefined();
  });
});

describe('fetch from a store that fails', () => {
  it.each(['fail', 'lose-answer', 'break', 'truncate'] as const)(
    'leaves nothing wrong when call after call ends in "%s"',
    async (kind) => {
      await archive(fileName, segment);
      for (let call = 1; ; call += 1) {
        await rm(destination, { force: true });
        const faulty: FaultyStore = faultyStore(store, { call, kind, after: 1000 });
        const outcome = await fetch(fileName, createRepository(faulty, zstd)).catch((error: unknown) => error);
        const bytes = await placed();
        if (bytes === undefined) expect(outcome).not.toBeInstanceOf(NotFoundError);
        else expect(bytes.equals(segment)).toBe(true);
        if (faulty.calls.length < call) return;
      }
    },
  );

  it('tries again what may pass', async () => {
    await archive(`${fileName}.zst`, segment);
    const faults = [1, 2, 3].map((call) => ({
      member: 'get' as const,
      call,
      kind: 'break' as const,
      after: call * 1000,
    }));
    const faulty = faultyStore(store, ...faults);
    await fetch(fileName, createRepository(faulty, zstd));
    expect((await placed())?.equals(segment)).toBe(true);
    expect(faulty.calls.length).toBe(4);
  });

  it('does not try again what will not pass', async () => {
    const permanent = new StoreError('no such method', { retryable: false });
    const faulty = faultyStore(store, { call: 1, kind: 'fail', error: permanent });
    await expect(fetch(fileName, createRepository(faulty, zstd))).rejects.toBe(permanent);
    expect(faulty.calls.length).toBe(1);
  });

  it('gives up at the deadline, and names what it struggled with', async () => {
    const down = { ...store, get: () => Promise.reject(new StoreError('reset', { retryable: true })) };
    const { promise: struggled, resolve: struggle } = Promise.withResolvers<void>();
    const clock = {
      now: () => new Date(),
      sleep: async (ms: number, signal?: AbortSignal) => {
        if (ms === 300_000) return await struggled;
        struggle();
        await delay(1, undefined, { signal });
      },
    };
    const result = fetchWal(
      createRepository(down, zstd),
      { fileName, destination, deadlineMs: 300_000 },
      createContext({ clock }),
    );
    await expect(result).rejects.toThrow(BusyError);
    await expect(result).rejects.toMatchObject({ cause: { message: 'reset' } });
    expect(await placed()).toBeUndefined();
  });

  it('gives up at the deadline when the store hangs', async () => {
    const hang = Promise.withResolvers<void>();
    const hanging = faultyStore(store, { call: 1, kind: 'hold', until: () => hang.promise });
    const clock = { now: () => new Date(), sleep: () => delay(20) };
    const options = { fileName, destination, deadlineMs: 1000 };
    const result = fetchWal(createRepository(hanging, zstd), options, createContext({ clock }));
    await expect(result).rejects.toThrow(BusyError);
    hang.resolve();
  });

  it('stops when it is told to and leaves nothing behind', async () => {
    await archive(`${fileName}.zst`, segment);
    const controller = new AbortController();
    const stopping: ObjectStore = {
      ...store,
      get: async (objectKey, options) => {
        const object = await store.get(objectKey, options);
        return { ...object, body: thenAbort(object.body, controller) };
      },
    };
    const result = fetchWal(
      createRepository(stopping, zstd),
      { fileName, destination },
      createContext({ signal: controller.signal }),
    );
    await expect(result).rejects.toThrow(/aborted/);
    expect(await placed()).toBeUndefined();
  });
});

function flip(bytes: Buffer, position: number): Buffer {
  return Buffer.from(bytes).fill((bytes[position] ?? 0) ^ 1, position, position + 1);
}

async function* thenAbort(body: AsyncIterable<Uint8Array>, controller: AbortController): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    yield chunk;
    controller.abort();
  }
}

import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { type Context, createContext, silentLogger } from '../../src/context.ts';
import { type CopyOptions, type CopyResult, copyRepository } from '../../src/copy/copy.ts';
import { AlreadyExistsError, IntegrityError, NotFoundError, StoreError } from '../../src/errors.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { findBackup, listBackups } from '../../src/repository/backup-catalogue.ts';
import { partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { joined } from '../support/byte-streams.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { storeBackup } from '../support/stored-backup.ts';

const full = 'base_000000010000000000000002';
const delta = 'base_000000010000000000000004_D_000000010000000000000002';
const other = 'base_000000010000000000000007';
const parent = { name: full, fullName: full, count: 1, startLsn: parseLsn('0/2000028') };
const walOf = (...numbers: number[]) => numbers.map((number) => `wal_005/00000001000000000000000${number}.zst`);

let minute: number;
let source: Repository;
let destination: Repository;

beforeEach(async () => {
  minute = 0;
  const now = () => new Date(Date.UTC(2026, 0, 1, 0, minute++));
  source = createRepository(createMemoryStore({ now }), createCodec('zstd'));
  destination = createRepository(createMemoryStore({ now }), createCodec('lz4'));
  for (const key of walOf(1, 2, 3, 4, 5, 6, 7, 8)) await source.store.put(key, Buffer.from(key));
  await source.store.put('wal_005/000000020000000000000008.zst', Buffer.from('timeline 2'));
  await source.store.put('wal_005/00000002.history.zst', Buffer.from('history'));
  await storeBackup(source, { name: full });
  const at = (start: string, finish: string) => ({ startLsn: parseLsn(start), finishLsn: parseLsn(finish) });
  await storeBackup(source, { name: delta, sentinel: { parent, ...at('0/4000028', '0/5000100') } });
  await storeBackup(source, { name: other, sentinel: at('0/7000028', '0/7000100') });
});

const copy = (
  options: Partial<CopyOptions> = {},
  to: ObjectStore = destination.store,
  context: Context = createContext(),
): Promise<CopyResult> =>
  copyRepository(source, createRepository(to, createCodec('none')), { onlyToConsistency: false, ...options }, context);

async function contents({ store }: Repository): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list('')) found[key] = (await joined((await store.get(key)).body)).toString('hex');
  return found;
}

const keysOf = async (repository: Repository) => Object.keys(await contents(repository));

describe('a copy of everything', () => {
  it('has the very same bytes, and the same newest backup', async () => {
    const result = await copy();
    expect(await contents(destination)).toEqual(await contents(source));
    expect(result).toMatchObject({ copiedCount: (await keysOf(source)).length, skippedCount: 0 });
    expect((await findBackup(destination, 'LATEST')).name).toBe(other);
    expect((await listBackups(destination)).map(({ name }) => name)).toEqual([full, delta, other]);
  });

  it('skips what is there already', async () => {
    await copy();
    await source.store.put('wal_005/000000020000000000000009.zst', Buffer.from('new'));
    expect(await copy()).toMatchObject({ copiedCount: 1, skippedCount: (await keysOf(source)).length - 1 });
  });

  it('leaves out a backup that has no sentinel, and what else lies in the store', async () => {
    const prefix = partsPrefix('base_000000010000000000000008');
    await source.store.put(`${prefix}part_001.tar.zst`, Buffer.from('part'));
    await source.store.put('notes.txt', Buffer.from('mine'));
    await source.store.put('catchup_005/base_000000010000000000000008_backup_stop_sentinel.json', Buffer.from('{}'));
    await copy();
    expect((await keysOf(destination)).filter((key) => /8\/tar_partitions|notes|catchup/.test(key))).toEqual([]);
  });

  it('takes a backup along that cannot be read, as it is', async () => {
    await source.store.put(sentinelKey(full), Buffer.from('{'));
    await copy();
    expect(await contents(destination)).toEqual(await contents(source));
  });

  it('refuses, before anything is copied, to replace another object', async () => {
    await destination.store.put(walOf(3)[0] ?? '', Buffer.from('of another cluster'));
    const before = await contents(destination);
    await expect(copy()).rejects.toThrow(AlreadyExistsError);
    expect(await contents(destination)).toEqual(before);
  });

  it('is refused where backups of another cluster lie', async () => {
    await storeBackup(destination, { name: other, sentinel: { systemIdentifier: 1n } });
    const before = await contents(destination);
    await expect(copy()).rejects.toThrow(IntegrityError);
    await expect(copy()).rejects.toThrow(/it holds backup \S+ of another cluster, 1/);
    expect(await contents(destination)).toEqual(before);
  });

  it('says where WAL is missing', async () => {
    await source.store.delete(walOf(3, 8));
    const warnings: object[] = [];
    const log = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
    await copy({}, destination.store, createContext({ log }));
    expect(warnings).toEqual([{ backup: full, segment: '000000010000000000000003' }]);
  });
});

describe('a copy of one backup', () => {
  it('has what it stands on, the WAL from its start on, and all histories', async () => {
    await copy({ backup: delta });
    const names = (await listBackups(destination)).map(({ name }) => name);
    expect(names).toEqual([full, delta]);
    const wal = (await keysOf(destination)).filter((key) => key.startsWith('wal_005/'));
    expect(wal).toEqual([
      ...walOf(4, 5, 6, 7, 8),
      'wal_005/00000002.history.zst',
      'wal_005/000000020000000000000008.zst',
    ]);
  });

  it('has just the WAL that makes it consistent, when told so', async () => {
    await copy({ backup: delta, onlyToConsistency: true });
    const wal = (await keysOf(destination)).filter((key) => key.startsWith('wal_005/'));
    expect(wal).toEqual([...walOf(4, 5), 'wal_005/00000002.history.zst']);
  });

  it('is refused when it could never become consistent, or its parent is missing', async () => {
    await source.store.delete(walOf(5));
    await expect(copy({ backup: delta })).rejects.toThrow(IntegrityError);
    await expect(copy({ backup: delta })).rejects.toThrow(
      /it needs WAL segment 000000010000000000000005, which is missing/,
    );
    await source.store.put(walOf(5)[0] ?? '', Buffer.from('back'));
    await source.store.delete([sentinelKey(full)]);
    await expect(copy({ backup: delta })).rejects.toThrow(NotFoundError);
    await expect(copy({ backup: full })).rejects.toThrow(NotFoundError);
    expect(await keysOf(destination)).toEqual([]);
  });
});

describe('a copy that is interrupted', () => {
  it('at any call leaves no backup in part, and goes on where it ended', async () => {
    for (let call = 1; ; call += 1) {
      const faulty = faultyStore(destination.store, { member: 'put', call, kind: 'lose-answer' });
      const isDone = await copy({}, faulty).then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(StoreError);
          return false;
        },
      );
      const [here, there] = [await contents(source), await contents(destination)];
      for (const { name } of await listBackups(destination)) {
        const objects = Object.keys(here).filter((key) => key.includes(`/${name}/`));
        expect(Object.keys(there)).toEqual(expect.arrayContaining(objects));
      }
      if (isDone) break;
    }
    expect(await contents(destination)).toEqual(await contents(source));
  });

  it('does not store the beginning of an object whose reading breaks', async () => {
    const broken = faultyStore(source.store, { member: 'get', call: 9, kind: 'break', after: 3 });
    source = createRepository(broken, createCodec('zstd'));
    await expect(copy()).rejects.toThrow(StoreError);
    const here = await contents(source);
    for (const [key, bytes] of Object.entries(await contents(destination))) expect(bytes).toBe(here[key]);
  });

  it('does not copy an object that was stored anew meanwhile', async () => {
    const [key = ''] = walOf(8);
    const { store } = source;
    source = createRepository(
      {
        ...store,
        get: async (wanted, options) => {
          if (wanted === key) await store.put(key, Buffer.from('other bytes, of another length'));
          return await store.get(wanted, options);
        },
      },
      createCodec('zstd'),
    );
    await expect(copy()).rejects.toThrow(/had \d+ a moment ago/);
  });
});

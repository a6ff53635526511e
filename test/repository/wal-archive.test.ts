import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { ConfigError, IntegrityError, NotFoundError } from '../../src/errors.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import {
  findWal,
  holdsObjects,
  listSegments,
  openWal,
  putWal,
  readWal,
  walPlace,
} from '../../src/repository/wal-archive.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

const segment = '000000010000000000000002';
const bytes = walLikeBytes(300_000);

let repository: Repository;

beforeEach(() => {
  repository = createRepository(createMemoryStore(), createCodec('zstd'));
});

async function store(...names: string[]): Promise<void> {
  for (const name of names) await repository.store.put(`wal_005/${name}`, new Uint8Array([1]));
}

describe('findWal', () => {
  it('finds every spelling of a name, those that cannot be read included', async () => {
    const spellings = ['', '.', '.zst', '.lz4', '.lzma', '.br', '.gz', '.lzo'].map((ending) => segment + ending);
    await store(...spellings);
    const found = await findWal(repository, segment);
    expect(found.map(({ key }) => key)).toEqual(spellings.map((name) => `wal_005/${name}`).sort());
    expect(found.map(({ suffix }) => suffix).sort()).toEqual(['', '', 'br', 'gz', 'lz4', 'lzma', 'lzo', 'zst']);
    expect(found[0]).toMatchObject({ fileName: segment, sizeBytes: 1, modifiedAt: expect.any(Date) });
  });

  it('takes no other file for a segment whose name it begins with', async () => {
    await store(
      `${segment}.partial`,
      `${segment}.partial.zst`,
      `${segment}.00000028.backup`,
      `${segment}.00000028.backup.zst`,
      `${segment}.json`,
      `${segment}_delta.zst`,
      `${segment}.zst.tmp`,
      `${segment}0.zst`,
    );
    expect(await findWal(repository, segment)).toEqual([]);
  });

  it.each([`${segment}.partial`, `${segment}.00000028.backup`, '00000002.history'])(
    'finds %s under its own name',
    async (name) => {
      await store(segment, `${segment}.zst`, `${name}.zst`, name);
      expect((await findWal(repository, name)).map(({ key }) => key)).toEqual([
        `wal_005/${name}`,
        `wal_005/${name}.zst`,
      ]);
    },
  );
});

describe('holdsObjects', () => {
  it('is shown by WAL or a backup, and by nothing else', async () => {
    expect(await holdsObjects(repository)).toBe(false);
    await repository.store.put('lost+found', new Uint8Array());
    expect(await holdsObjects(repository)).toBe(false);
    await repository.store.put(`basebackups_005/base_${segment}/metadata.json`, new Uint8Array());
    expect(await holdsObjects(repository)).toBe(true);
    await repository.store.delete([`basebackups_005/base_${segment}/metadata.json`]);
    await store('00000002.history');
    expect(await holdsObjects(repository)).toBe(true);
  });
});

describe('putWal, openWal and readWal', () => {
  it('give back what was stored, in the compression of the suffix', async () => {
    await putWal(repository, walPlace(repository, segment), () => inChunks(bytes, 1000));
    await repository.store.put(`wal_005/${segment}.`, bytes);
    const [bare, compressed] = await findWal(repository, segment);
    if (bare === undefined || compressed === undefined) throw new Error('not stored');
    expect(compressed.key).toBe(`wal_005/${segment}.zst`);
    expect(compressed.sizeBytes).toBeLessThan(bytes.length);
    expect(await joined(readWal(repository, compressed))).toEqual(bytes);
    expect(await joined(readWal(repository, bare))).toEqual(bytes);
    expect(await openWal(repository, walPlace(repository, segment))).toMatchObject(compressed);
  });

  it('never overwrite', async () => {
    await putWal(repository, walPlace(repository, segment), () => inChunks(bytes));
    expect(await putWal(repository, walPlace(repository, segment), () => inChunks(bytes))).toBe(false);
  });

  it('store nothing when the source fails', async () => {
    const failure = new Error('no more');
    async function* failing() {
      yield bytes;
      throw failure;
    }
    await expect(putWal(repository, walPlace(repository, segment), failing)).rejects.toBe(failure);
    expect(await findWal(repository, segment)).toEqual([]);
  });

  it('name an object that is damaged, absent, or compressed in a way that nothing here reads', async () => {
    await store(`${segment}.zst`, `${segment}.lzo`);
    const [lzo, zst] = await findWal(repository, segment);
    if (lzo === undefined || zst === undefined) throw new Error('not stored');
    await expect(joined(readWal(repository, zst))).rejects.toThrow(IntegrityError);
    await expect(joined(readWal(repository, zst))).rejects.toThrow(`cannot read memory://wal_005/${segment}.zst: `);
    await expect(openWal(repository, lzo)).rejects.toThrow(ConfigError);
    await expect(openWal(repository, lzo)).rejects.toThrow(`cannot read memory://wal_005/${segment}.lzo: `);
    await expect(openWal(repository, walPlace(repository, '00000002.history'))).rejects.toThrow(NotFoundError);
  });
});

describe('listSegments', () => {
  const names = ['000000010000000000000001', segment, '0000000100000000000000FF', '000000020000000000000002'];

  beforeEach(async () => {
    await store(
      ...names.map((name) => `${name}.zst`),
      '00000002.history.zst',
      `${segment}.partial.zst`,
      `${segment}.00000028.backup.zst`,
      `${segment}_delta.lz4`,
      '000000000000000000000001.zst',
      'stray',
    );
  });

  async function listed(options: Parameters<typeof listSegments>[1]): Promise<string[]> {
    return (await Array.fromAsync(listSegments(repository, options))).map(({ fileName }) => fileName);
  }

  it('gives the segments in order, and nothing else', async () => {
    expect(await listed({})).toEqual(names);
  });

  it('keeps to a timeline', async () => {
    expect(await listed({ namePrefix: '00000001' })).toEqual(names.slice(0, 3));
  });

  it('begins behind a segment, however that one is spelt', async () => {
    await store(segment, `${segment}.`, `${segment}.br`);
    expect(await listed({ startAfter: segment })).toEqual(names.slice(2));
    expect(await listed({ startAfter: '000000010000000000000001' })).toEqual([
      segment,
      segment,
      segment,
      ...names.slice(1),
    ]);
  });
});

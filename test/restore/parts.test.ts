import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { ConfigError, IntegrityError } from '../../src/errors.ts';
import { partsPrefix } from '../../src/repository/layout.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { listParts } from '../../src/restore/parts.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';

const backup = 'base_000000010000000000000002';

let repository: Repository;

beforeEach(() => {
  repository = createRepository(createMemoryStore(), createCodec('zstd'));
});

async function store(...fileNames: readonly string[]): Promise<void> {
  for (const fileName of fileNames) await repository.store.put(partsPrefix(backup) + fileName, Buffer.from('x'));
}

const list = (...names: readonly string[]) => listParts(repository, backup, names, {});

describe('the parts of a backup', () => {
  it('are told apart by their names, each with its compression', async () => {
    await store('part_001.tar.zst', 'part_002.tar', 'pg_control.tar.lz4', 'backup_label.tar.', 'part_001.tar_chunks');
    const { data, control, label } = await list();
    expect(data.map(({ fileName, suffix }) => [fileName, suffix])).toEqual([
      ['part_001.tar.zst', 'zst'],
      ['part_002.tar', ''],
    ]);
    expect(control.suffix).toBe('lz4');
    expect(label?.suffix).toBe('');
  });

  it('may have other names where the backup lists them', async () => {
    await store('copy_1.tar.zst', 'part_003.tar.zst', 'pg_control.tar.zst');
    const { data } = await list('copy_1.tar.zst', 'part_003.tar.zst');
    expect(data.map(({ fileName }) => fileName)).toEqual(['copy_1.tar.zst', 'part_003.tar.zst']);
  });

  it.each([
    ['part_002', ['part_001.tar', 'part_003.tar', 'pg_control.tar'], []],
    ['part_001', ['pg_control.tar'], []],
    ['pg_control', ['part_001.tar'], []],
    ['part_002', ['part_001.tar', 'pg_control.tar'], ['part_001.tar.lz4', 'part_002.tar.lz4']],
  ])('are refused when %s is missing', async (missing, stored, listed) => {
    await store(...stored);
    await expect(list(...listed)).rejects.toThrow(
      `memory://${partsPrefix(backup)}${missing}.tar, which belongs to the backup, is missing`,
    );
  });

  it('are refused when one is there in two compressions', async () => {
    await store('part_001.tar', 'part_001.tar.zst', 'pg_control.tar');
    await expect(list()).rejects.toThrow(IntegrityError);
  });

  it('are refused when nothing reads their compression', async () => {
    await store('part_001.tar.lzo', 'pg_control.tar');
    await expect(list()).rejects.toThrow(ConfigError);
    await store('part_001.tar.xyz');
    await expect(list()).rejects.toThrow(/part_001\.tar\.(lzo|xyz)/);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { IntegrityError } from '../../src/errors.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { putWal, walPlace } from '../../src/repository/wal-archive.ts';
import { readTimelines } from '../../src/restore/read-timelines.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { inChunks } from '../support/byte-streams.ts';

let repository: Repository;

async function archiveHistory(fileName: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  await putWal(repository, walPlace(repository, fileName), () => inChunks(bytes, bytes.byteLength));
}

async function timelinesFor(
  backupTimelines: readonly number[],
  target: 'latest' | number = 'latest',
): Promise<number[]> {
  return [...(await readTimelines(repository, backupTimelines, target, {})).keys()];
}

beforeEach(async () => {
  repository = createRepository(createMemoryStore(), createCodec('zstd'));
  await archiveHistory('00000002.history', '1\t0/3000000\tno recovery target specified\n');
  await archiveHistory('00000003.history', '1\t0/3000000\tx\n2\t0/5000000\ty\n');
  await archiveHistory('0000000A.history', '1\t0/4000000\tz\n');
});

describe('the timelines of a repository', () => {
  it('are read from the backups’ on, up to the first gap', async () => {
    expect(await timelinesFor([1])).toEqual([2, 3]);
    expect(await timelinesFor([3, 3])).toEqual([3]);
    expect(await timelinesFor([1, 9])).toEqual([2, 3, 10]);
    expect(await timelinesFor([])).toEqual([]);
  });

  it('are read beyond a gap when one is asked for', async () => {
    expect(await timelinesFor([1], 10)).toEqual([2, 3, 10]);
    expect(await timelinesFor([1], 11)).toEqual([2, 3]);
  });

  it('know where they left their ancestors', async () => {
    const histories = await readTimelines(repository, [1], 'latest', {});
    expect(histories.get(3)?.ancestors.map(({ timeline }) => timeline)).toEqual([1, 2]);
  });

  it('are an error when a history file is damaged', async () => {
    await archiveHistory('00000004.history', 'nonsense\n');
    await expect(timelinesFor([1])).rejects.toThrow(IntegrityError);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { IntegrityError } from '../../src/errors.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { formatSegmentName, segmentBeforeLsn, segmentOfLsn } from '../../src/postgres/wal-name.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { findSegmentSize, type SizedBackup, sizesThatFit } from '../../src/repository/segment-size.ts';
import { putWal, walPlace } from '../../src/repository/wal-archive.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { inChunks } from '../support/byte-streams.ts';

const mebibyte = 1024 * 1024;

let repository: Repository;

beforeEach(() => {
  repository = createRepository(createMemoryStore(), createCodec('zstd'));
});

function backupAt(lsn: string, segmentSizeBytes: number, segmentOf = segmentOfLsn): SizedBackup {
  const startLsn = parseLsn(lsn);
  return {
    startLsn,
    timeline: 1,
    startSegment: formatSegmentName(segmentOf(1, startLsn, segmentSizeBytes), segmentSizeBytes),
  };
}

/** Stores the beginning of a segment that says its size in its header. */
async function storeSegment(segmentSizeBytes: number): Promise<void> {
  const page = Buffer.alloc(8192);
  page.writeUInt16LE(0xd118, 0);
  page.writeUInt16LE(2, 2);
  page.writeUInt32LE(segmentSizeBytes, 32);
  await putWal(repository, walPlace(repository, '000000010000000000000001'), () => inChunks(page, 100));
}

describe('the size of segments', () => {
  it.each([1, 16, 64, 1024])('of %i MiB shows in the name of a backup', async (mebibytes) => {
    const backup = backupAt('1/C5000028', mebibytes * mebibyte);
    expect(sizesThatFit([backup])).toEqual([mebibytes * mebibyte]);
    expect(await findSegmentSize(repository, [backup])).toBe(mebibytes * mebibyte);
  });

  it('shows in the name of a backup of a standby, which begins at the end of a segment', () => {
    expect(sizesThatFit([backupAt('1/C5000000', 16 * mebibyte, segmentBeforeLsn)])).toContain(16 * mebibyte);
  });

  it('is that which fits all backups', async () => {
    const backups = ['1/28', '1/5000028', '1/C5000028'].map((lsn) => backupAt(lsn, 16 * mebibyte));
    expect(sizesThatFit(backups.slice(0, 1)).length).toBeGreaterThan(1);
    expect(await findSegmentSize(repository, backups)).toBe(16 * mebibyte);
  });

  it('is what a segment says of itself, where the backups leave it open', async () => {
    await storeSegment(64 * mebibyte);
    expect(await findSegmentSize(repository, [])).toBe(64 * mebibyte);
    expect(await findSegmentSize(repository, [backupAt('1/28', 64 * mebibyte)])).toBe(64 * mebibyte);
  });

  it("is PostgreSQL's default in a repository that says nothing", async () => {
    expect(await findSegmentSize(repository, [])).toBe(16 * mebibyte);
    expect(await findSegmentSize(repository, [backupAt('1/28', 16 * mebibyte)])).toBe(16 * mebibyte);
  });

  it('is not guessed from a damaged segment', async () => {
    await repository.store.put('wal_005/000000010000000000000001.zst', Buffer.from('damaged'));
    await expect(findSegmentSize(repository, [])).rejects.toThrow(IntegrityError);
  });
});

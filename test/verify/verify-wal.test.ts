import { beforeEach, describe, expect, it } from 'vitest';
import { noneCodec } from '../../src/codec/none.ts';
import { createContext, silentLogger } from '../../src/context.ts';
import { IntegrityError, NotFoundError } from '../../src/errors.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { showTimelines } from '../../src/verify/show-timelines.ts';
import { type VerifyWalOptions, verifyIntegrity } from '../../src/verify/verify-wal.ts';
import { storeBackup } from '../support/stored-backup.ts';

const onFirst = 'base_000000010000000000000003';
const onDeadEnd = 'base_000000010000000000000008';
const onSecond = 'base_000000020000000000000007';

let repository: Repository;
let warnings: string[];

beforeEach(async () => {
  warnings = [];
  repository = createRepository(createMemoryStore(), noneCodec);
  await storeWal(1, 1, 9);
  await storeWal(2, 5, 9);
  await repository.store.put('wal_005/00000002.history', Buffer.from('1\t0/5000080\tno recovery target specified\n'));
});

async function storeWal(timeline: number, first: number, last: number): Promise<void> {
  for (let segment = first; segment <= last; segment += 1) {
    await repository.store.put(`wal_005/0000000${timeline}000000000000000${segment}`, new Uint8Array(1));
  }
}

async function takeBackup(name: string, segment: number, isPermanent = false): Promise<void> {
  const at = (offset: string) => parseLsn(`0/${segment}${offset}`);
  await storeBackup(repository, { name, sentinel: { startLsn: at('000028'), finishLsn: at('000100'), isPermanent } });
}

async function verify(options: Partial<VerifyWalOptions> = {}) {
  const current = { timeline: 2, lsn: parseLsn('0/9000080') };
  const log = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) };
  const report = await verifyIntegrity(
    repository,
    { current, delayedLimit: 0, uploadingLimit: 0, ...options },
    createContext({ log }),
  );
  return report.ranges.map(({ timeline, first, last, status }) => `${timeline}:${first}-${last} ${status}`);
}

describe('the check of integrity', () => {
  it('begins at the oldest backup that leads to the current timeline', async () => {
    await takeBackup(onDeadEnd, 8);
    await takeBackup(onSecond, 7);
    expect(await verify()).toEqual(['2:7-8 FOUND']);
    await takeBackup(onFirst, 3);
    expect(await verify()).toEqual(['1:3-4 FOUND', '2:5-8 FOUND']);
  });

  it('does not count permanent backups, which have no WAL but their own', async () => {
    await takeBackup(onFirst, 3, true);
    await takeBackup(onSecond, 7);
    expect(await verify()).toEqual(['2:7-8 FOUND']);
  });

  it('looks for everything when no backup leads to the current timeline', async () => {
    await takeBackup(onDeadEnd, 8);
    expect(await verify()).toEqual(['1:1-4 FOUND', '2:5-8 FOUND']);
    expect(warnings).toEqual(['no backup leads to the current timeline: all segments are looked for']);
  });

  it('begins at the backup that is named, if that leads there', async () => {
    await takeBackup(onDeadEnd, 8);
    await takeBackup(onFirst, 3);
    expect(await verify({ backup: onFirst })).toEqual(['1:3-4 FOUND', '2:5-8 FOUND']);
    await expect(verify({ backup: onDeadEnd })).rejects.toThrow(NotFoundError);
    await expect(verify({ backup: onSecond })).rejects.toThrow(NotFoundError);
  });

  it('goes on without the history of the current timeline, and says so', async () => {
    await repository.store.delete(['wal_005/00000002.history']);
    await takeBackup(onSecond, 7);
    expect(await verify()).toEqual(['2:7-8 FOUND']);
    expect(warnings).toEqual(['the history of the current timeline is not archived']);
  });

  it('is refused by a damaged history', async () => {
    await repository.store.put('wal_005/00000002.history', Buffer.from('damaged'));
    await expect(verify()).rejects.toThrow(IntegrityError);
  });
});

describe('the overview of timelines', () => {
  it('has parents, gaps and the backups that lie within', async () => {
    await repository.store.delete(['wal_005/000000020000000000000006']);
    await takeBackup(onFirst, 3);
    await takeBackup(onSecond, 7);
    const { timelines } = await showTimelines(repository, createContext());
    expect(timelines).toMatchObject([
      { timeline: 1, parent: undefined, segmentCount: 9, rangeLength: 9n, gaps: [], backups: [{ name: onFirst }] },
      {
        timeline: 2,
        parent: { timeline: 1, switchLsn: parseLsn('0/5000080') },
        firstSegment: '000000020000000000000005',
        lastSegment: '000000020000000000000009',
        segmentCount: 4,
        rangeLength: 5n,
        gaps: [{ first: 6n, last: 6n }],
        backups: [{ name: onSecond }],
      },
    ]);
  });
});

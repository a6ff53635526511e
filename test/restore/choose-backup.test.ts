import { describe, expect, it } from 'vitest';
import { NotFoundError, UsageError } from '../../src/errors.ts';
import { parseRecoveryTarget, type RecoveryTargetTexts } from '../../src/postgres/recovery-target.ts';
import { parseTimelineHistory, type TimelineHistory } from '../../src/postgres/timeline-history.ts';
import type { BackupRecord } from '../../src/repository/backup-catalogue.ts';
import { chooseBackup } from '../../src/restore/choose-backup.ts';
import { backupRecord } from '../support/backup-record.ts';

/** Timeline 1 was left at 0/4000000 for timeline 2, and that at 0/7000000 for timeline 3; timeline 4 left timeline 1 early. */
const histories = new Map<number, TimelineHistory>(
  [
    [2, '1\t0/4000000\tpromoted\n'],
    [3, '1\t0/4000000\tpromoted\n2\t0/7000000\tpromoted\n'],
    [4, '1\t0/2800000\tpoint in time\n'],
  ].map(([timeline, text]) => [Number(timeline), parseTimelineHistory(String(text), Number(timeline))]),
);
const firstThree = new Map([...histories].filter(([timeline]) => timeline <= 3));

const morning = backupRecord({
  name: 'base_000000010000000000000002',
  finishLsn: '0/2000100',
  finishedAt: '2026-01-02T06:00:00Z',
});
const noon = backupRecord({
  name: 'base_000000010000000000000003',
  finishLsn: '0/3000100',
  finishedAt: '2026-01-02T12:00:00Z',
});
const evening = backupRecord({
  name: 'base_000000020000000000000005',
  finishLsn: '0/5000100',
  finishedAt: '2026-01-02T18:00:00Z',
});
const all = [morning, noon, evening];

function choose(
  nameOrLatest: string,
  texts: RecoveryTargetTexts = {},
  backups: readonly BackupRecord[] = all,
  known: ReadonlyMap<number, TimelineHistory> = firstThree,
): string {
  return chooseBackup(backups, nameOrLatest, parseRecoveryTarget(texts), known, 'file:///srv/wal').name;
}

describe('LATEST', () => {
  it('is the newest backup when there is no target', () => {
    expect(choose('LATEST')).toBe(evening.name);
    expect(choose('LATEST', {}, [noon, morning])).toBe(morning.name);
  });

  it('with a time is the newest backup that had ended before it', () => {
    expect(choose('LATEST', { time: '2026-01-02 17:59:59Z' })).toBe(noon.name);
    expect(choose('LATEST', { time: '2026-01-02 18:00:00.001Z' })).toBe(evening.name);
  });

  it('with a time leaves out a backup that ended at that very instant', () => {
    expect(choose('LATEST', { time: '2026-01-02 18:00:00Z' })).toBe(noon.name);
  });

  it('with an LSN is the newest backup that had ended by then', () => {
    expect(choose('LATEST', { lsn: '0/3000100' })).toBe(noon.name);
    expect(choose('LATEST', { lsn: '0/30000FF' })).toBe(morning.name);
  });

  it.each([{ name: 'before_drop' }, { xid: '7000' }, { immediate: true }])(
    'with %j is the newest on the timeline',
    (texts) => {
      expect(choose('LATEST', texts)).toBe(evening.name);
    },
  );

  it('is not a backup that ended after the target timeline had left its own', () => {
    const tooLate = backupRecord({ name: 'base_000000010000000000000006', finishLsn: '0/6000100' });
    expect(choose('LATEST', {}, [...all, tooLate])).toBe(evening.name);
    expect(choose('LATEST', { timeline: '4' }, all, histories)).toBe(morning.name);
  });

  it('follows the latest timeline from the backup on, as the server does: a gap in the histories ends the search', () => {
    const gap = new Map([...histories].filter(([timeline]) => timeline !== 2));
    expect(choose('LATEST', {}, [morning, noon], gap)).toBe(noon.name);
  });

  it('on the current timeline is the newest of all', () => {
    expect(choose('LATEST', { timeline: 'current' }, all, histories)).toBe(evening.name);
  });

  it('goes by the time at which the sentinel was stored where the backup does not know when it ended', () => {
    const old = { ...morning, finishedAt: undefined };
    expect(
      choose('LATEST', { time: '2026-01-02 05:00Z' }, [{ ...old, modifiedAt: new Date('2026-01-02T04:00Z') }]),
    ).toBe(morning.name);
  });

  it('that would have to begin before the oldest backup is not there', () => {
    expect(() => choose('LATEST', { time: '2026-01-02 05:00Z' })).toThrow(NotFoundError);
    expect(() => choose('LATEST', { time: '2026-01-02 05:00Z' })).toThrow(
      'no backup in file:///srv/wal serves to recover to 2026-01-02 05:00:00+00',
    );
  });

  it('of an empty repository is not there', () => {
    expect(() => choose('LATEST', {}, [])).toThrow('no backup in file:///srv/wal');
  });
});

describe('a backup by its name', () => {
  it('is taken when it serves', () => {
    expect(choose(morning.name, { time: '2026-01-02 20:00Z' })).toBe(morning.name);
  });

  it('is refused when it does not exist', () => {
    expect(() => choose('base_000000010000000000000009')).toThrow(NotFoundError);
  });

  it('is refused when it ended after the target, with the newest that serves', () => {
    const refused = () => choose(evening.name, { time: '2026-01-02 14:00+01' });
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(
      `cannot recover from ${evening.name} to 2026-01-02 13:00:00+00: the backup ended at 2026-01-02T18:00:00.000Z, not before it`,
    );
    expect(hintOf(refused)).toBe(`Restore ${noon.name}, the newest backup that serves.`);
    expect(() => choose(noon.name, { lsn: '0/3000000' })).toThrow('the backup ended at 0/3000100, behind it');
  });

  it('is refused when the target timeline does not come from its own', () => {
    expect(() => choose(evening.name, { timeline: '4' }, all, histories)).toThrow(
      'timeline 4 does not come from timeline 2, on which the backup was taken',
    );
    expect(() => choose(noon.name, { timeline: '4' }, all, histories)).toThrow(
      'timeline 4 left timeline 1 at 0/2800000, before the backup ended at 0/3000100',
    );
  });

  it('is refused when the latest timeline is of another line, and taken on its own', () => {
    expect(() => choose(evening.name, {}, all, histories)).toThrow('timeline 4 does not come from timeline 2');
    expect(choose(evening.name, { timeline: 'current' }, all, histories)).toBe(evening.name);
    expect(choose(evening.name, { timeline: '3' }, all, histories)).toBe(evening.name);
  });
});

describe('a target timeline', () => {
  it('of which there is no history is refused with those there are', () => {
    expect(() => choose('LATEST', { timeline: '9' })).toThrow('cannot restore along timeline 9');
    expect(hintOf(() => choose('LATEST', { timeline: '9' }))).toBe('Timelines in the repository: 1, 2, 3.');
  });

  it('1 needs none', () => {
    expect(choose('LATEST', { timeline: '1' })).toBe(noon.name);
  });
});

function hintOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof UsageError) return error.hint;
  }
  return undefined;
}

import { describe, expect, it } from 'vitest';
import { BusyError, NotFoundError, UsageError } from '../../src/errors.ts';
import { type DeletionPlan, planDeletion } from '../../src/retention/plan.ts';
import type { DeleteRequest } from '../../src/retention/request.ts';
import {
  type InventoryBackup,
  inventoryOf,
  namesOf,
  now,
  objectInfo,
  segmentName,
} from '../support/retention-inventory.ts';

const hoursAgo = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

const wal = (first: number, last: number, timeline = 1): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${segmentName(first + index, timeline)}.zst`);

const retain = (count: number, more: object = {}): DeleteRequest => ({
  kind: 'retain',
  count,
  modifier: undefined,
  after: undefined,
  useSentinelTime: false,
  ...more,
});
const beforeBackup = (name: string, more: object = {}): DeleteRequest => ({
  kind: 'before',
  from: { name },
  findFull: false,
  useSentinelTime: false,
  ...more,
});
const target = (name: string, findFull = false): DeleteRequest => ({ kind: 'target', backup: { name }, findFull });
const garbage = (only?: 'ARCHIVES' | 'BACKUPS', withoutBackups = false): DeleteRequest => ({
  kind: 'garbage',
  only,
  withoutBackups,
});

function plan(backups: readonly InventoryBackup[], walFiles: readonly string[], request: DeleteRequest): DeletionPlan {
  return planDeletion(inventoryOf(backups, walFiles), request);
}

const doomedNames = ({ backups }: DeletionPlan): string[] => backups.map(({ name }) => name);
const walNames = ({ wal: objects }: DeletionPlan): string[] => objects.map(({ key }) => key.replace('wal_005/', ''));

describe('delete retain', () => {
  const three = [{ segment: 2 }, { segment: 4 }, { segment: 6 }];
  const [first = '', second = '', third = ''] = namesOf(three);

  it('keeps the newest backups and the WAL from the oldest of them on', () => {
    const result = plan(three, wal(1, 8), retain(2));
    expect(doomedNames(result)).toEqual([first]);
    expect(walNames(result)).toEqual(wal(1, 3));
  });

  it('removes every object of a backup that goes', () => {
    const { backups } = plan(three, [], retain(1));
    expect(
      backups
        .find(({ name }) => name === second)
        ?.objects.map(({ key }) => key)
        .sort(),
    ).toEqual([
      `basebackups_005/${second}/backup_manifest`,
      `basebackups_005/${second}/tar_partitions/part_001.tar.zst`,
      `basebackups_005/${second}_backup_stop_sentinel.json`,
    ]);
  });

  it('removes nothing at all when there are not more backups than are kept', () => {
    expect(plan(three, wal(1, 8), retain(4))).toEqual({ backups: [], leftovers: [], wal: [], other: [] });
    expect(doomedNames(plan(three, wal(1, 8), retain(3)))).toEqual([]);
  });

  it('keeps those from a backup or a time on, when that is older than the count says', () => {
    expect(doomedNames(plan(three, [], retain(1, { after: { name: second } })))).toEqual([first]);
    const after = { time: new Date('2026-01-04T00:00:00Z') };
    expect(doomedNames(plan(three, [], retain(1, { after })))).toEqual([first]);
    expect(doomedNames(plan(three, [], retain(2, { after: { name: third } })))).toEqual([first]);
  });

  it('does not let a time alone decide while there are fewer backups than are kept', () => {
    const after = { time: new Date('2026-01-06T00:00:00Z') };
    expect(doomedNames(plan(three, wal(1, 8), retain(5, { after })))).toEqual([]);
  });

  it('counts full backups only with FULL, and refuses to begin at a delta without', () => {
    const chain = [{ segment: 2 }, { segment: 4, parent: 0 }, { segment: 6 }, { segment: 8, parent: 2 }];
    const [full = '', delta = ''] = namesOf(chain);
    expect(doomedNames(plan(chain, [], retain(1, { modifier: 'FULL' })))).toEqual([delta, full]);
    expect(() => plan(chain, [], retain(1))).toThrow(UsageError);
    expect(() => plan(chain, [], retain(1))).toThrow(/it is a delta, and stands on base_000000010000000000000006/);
    expect(doomedNames(plan(chain, [], retain(1, { modifier: 'FIND_FULL' })))).toEqual([delta, full]);
    expect(doomedNames(plan(chain, [], retain(3, { modifier: 'FIND_FULL' })))).toEqual([]);
  });
});

describe('delete before', () => {
  it('refuses when a kept delta would lose what it stands on, and goes farther back with FIND_FULL', () => {
    const crossed = [{ segment: 1 }, { segment: 2 }, { segment: 4 }, { segment: 6, parent: 1 }];
    const [oldest = '', , third = ''] = namesOf(crossed);
    expect(() => plan(crossed, [], beforeBackup(third))).toThrow(
      /base_000000010000000000000006_D_000000010000000000000002 stands on base_000000010000000000000002/,
    );
    const result = plan(crossed, wal(1, 8), beforeBackup(third, { findFull: true }));
    expect(doomedNames(result)).toEqual([oldest]);
    expect(walNames(result)).toEqual(wal(1, 1));
  });

  it('takes a time for the first backup that is not older', () => {
    const three = [{ segment: 2 }, { segment: 4 }, { segment: 6 }];
    const [first = ''] = namesOf(three);
    const from = { time: new Date('2026-01-04T00:00:00Z') };
    expect(doomedNames(plan(three, [], beforeBackup('', { from })))).toEqual([first]);
    const afterAll = { time: new Date('2027-01-01T00:00:00Z') };
    expect(doomedNames(plan(three, wal(1, 8), beforeBackup('', { from: afterAll })))).toEqual([]);
  });

  it('says so when there is no such backup', () => {
    expect(() => plan([{ segment: 2 }], [], beforeBackup('base_000000010000000000000009'))).toThrow(NotFoundError);
  });

  it('never removes timeline histories, and removes what goes by the name of a segment with it', () => {
    const files = ['00000002.history.zst', '00000001000000000000000.json', 'notes.txt'];
    const withSegment = [
      `${segmentName(3)}.json`,
      `${segmentName(3)}.00000028.backup.zst`,
      `${segmentName(3)}.partial.zst`,
      `${segmentName(3)}`,
    ];
    const [, kept = ''] = namesOf([{ segment: 2 }, { segment: 4 }]);
    const result = plan([{ segment: 2 }, { segment: 4 }], [...files, ...withSegment], beforeBackup(kept));
    expect(walNames(result)).toEqual(withSegment);
  });

  it("keeps WAL-G's delta file of sixteen segments while one of them is needed", () => {
    const delta = (segment: number) => `${segmentName(segment)}_delta.zst`;
    const two = [{ segment: 2 }, { segment: 40 }];
    const [, kept = ''] = namesOf(two);
    expect(walNames(plan(two, [delta(0), delta(16), delta(32)], beforeBackup(kept)))).toEqual([delta(0), delta(16)]);
  });

  it("removes WAL-G's catch-up backups that are older", () => {
    const two = [{ segment: 2 }, { segment: 4 }];
    const [, kept = ''] = namesOf(two);
    const inventory = inventoryOf(two, []);
    const keys = [3, 5].map((segment) => `catchup_005/base_${segmentName(segment)}_backup_stop_sentinel.json`);
    const objects = [...inventory.objects, ...keys.map((key) => objectInfo(key))];
    expect(planDeletion({ ...inventory, objects }, beforeBackup(kept)).other.map(({ key }) => key)).toEqual(
      keys.slice(0, 1),
    );
  });
});

describe('deletion across timelines', () => {
  const acrossSwitch = [
    { segment: 2 },
    { segment: 8 },
    { segment: 5, timeline: 2, day: 9 },
    { segment: 7, timeline: 2, day: 10 },
  ];
  const files = [...wal(1, 9), ...wal(4, 8, 2)];

  it('keeps the new timeline from the oldest kept backup on it, and nothing of the old one', () => {
    const result = plan(acrossSwitch, files, retain(2));
    expect(doomedNames(result)).toHaveLength(2);
    expect(walNames(result)).toEqual([...wal(1, 9), ...wal(4, 4, 2)]);
  });

  it('keeps all of a younger timeline while a backup on the older one is kept, though its numbers are lower', () => {
    const result = plan(acrossSwitch, files, retain(3));
    expect(walNames(result)).toEqual(wal(1, 7));
  });

  it('does not take a newer backup on a lower timeline for an older one', () => {
    const sideBranch = [{ segment: 2 }, { segment: 3, timeline: 2, day: 4 }, { segment: 8, day: 20 }];
    const [oldest = '', onBranch = ''] = namesOf(sideBranch);
    const result = plan(sideBranch, [...wal(1, 9), ...wal(3, 5, 2)], beforeBackup(onBranch));
    expect(doomedNames(result)).toEqual([oldest]);
    expect(walNames(result)).toEqual(wal(1, 7));
  });

  it('does not let a wrong clock take a newer backup for an older one', () => {
    const clockWentBack = [
      { segment: 2, day: 50 },
      { segment: 4, day: 51 },
      { segment: 6, day: 3 },
    ];
    const [first = '', second = ''] = namesOf(clockWentBack);
    expect(doomedNames(plan(clockWentBack, [], retain(1, { useSentinelTime: true })))).toEqual([first]);
    expect(doomedNames(plan(clockWentBack, [], beforeBackup(second)))).toEqual([first]);
    expect(doomedNames(plan(clockWentBack, [], retain(1)))).toEqual([]);
  });
});

describe('chains that are broken', () => {
  it('cannot be followed to their full backup, and say so', () => {
    const inventory = inventoryOf([{ segment: 2 }, { segment: 4, parent: 0 }], []);
    const [, delta = ''] = namesOf([{ segment: 2 }, { segment: 4, parent: 0 }]);
    const backups = inventory.backups.filter(({ name }) => name === delta);
    const request = beforeBackup(delta, { findFull: true });
    expect(() => planDeletion({ ...inventory, backups }, request)).toThrow(NotFoundError);
    expect(() => planDeletion({ ...inventory, backups }, request)).toThrow(/the parent of backup .* is missing/);
    expect(doomedNames(planDeletion({ ...inventory, backups }, target(delta)))).toEqual([delta]);
  });

  it('are followed no longer than once around, when sentinels name each other', () => {
    const inventory = inventoryOf([{ segment: 2 }, { segment: 4, parent: 0 }], []);
    const [full = '', delta = ''] = namesOf([{ segment: 2 }, { segment: 4, parent: 0 }]);
    const backups = inventory.backups.map((backup) =>
      backup.name === full
        ? { ...backup, parent: { name: delta, fullName: delta, count: 1, startLsn: backup.startLsn } }
        : backup,
    );
    expect(doomedNames(planDeletion({ ...inventory, backups }, target(full))).sort()).toEqual([full, delta].sort());
  });
});

describe('permanent backups', () => {
  it('stay with the WAL that they need to become consistent, and no more', () => {
    const result = plan([{ segment: 3, isPermanent: true }, { segment: 9 }], wal(1, 10), retain(1));
    expect(doomedNames(result)).toEqual([]);
    expect(walNames(result)).toEqual([...wal(1, 2), ...wal(5, 8)]);
  });

  it('keep what they stand on', () => {
    const chain = [{ segment: 2 }, { segment: 4, parent: 0, isPermanent: true }, { segment: 9 }];
    const result = plan(chain, wal(1, 10), retain(1));
    expect(doomedNames(result)).toEqual([]);
    expect(walNames(result)).toEqual([...wal(1, 1), ...wal(6, 8)]);
  });

  it('are not deleted by name, nor with what they stand on', () => {
    const chain = [{ segment: 2 }, { segment: 4, parent: 0, isPermanent: true }];
    for (const name of namesOf(chain)) expect(() => plan(chain, [], target(name))).toThrow(/is permanent/);
  });

  it('end delete everything, unless it is forced', () => {
    const backups = [{ segment: 2, isPermanent: true }];
    expect(() => plan(backups, [], { kind: 'everything', force: false })).toThrow(UsageError);
    expect(doomedNames(plan(backups, [], { kind: 'everything', force: true }))).toEqual(namesOf(backups));
  });
});

describe('delete target', () => {
  const chain = [{ segment: 2 }, { segment: 4, parent: 0 }, { segment: 6, parent: 1 }, { segment: 8 }];
  const [full = '', delta = '', deltaOnDelta = ''] = namesOf(chain);

  it('removes a backup with those that stand on it, the children first, and no WAL', () => {
    expect(plan(chain, wal(1, 8), target(delta))).toMatchObject({
      backups: [{ name: deltaOnDelta }, { name: delta }],
      wal: [],
    });
    expect(doomedNames(plan(chain, [], target(full)))).toEqual([deltaOnDelta, delta, full]);
  });

  it('removes the whole family with FIND_FULL', () => {
    expect(doomedNames(plan(chain, [], target(deltaOnDelta, true)))).toEqual([deltaOnDelta, delta, full]);
  });

  it('finds the backup by its user data, if only one has them', () => {
    const inventory = inventoryOf(chain, []);
    const backups = inventory.backups.map((backup, index) => ({ ...backup, userData: { ticket: BigInt(index) } }));
    const request = (ticket: bigint): DeleteRequest => ({
      kind: 'target',
      backup: { userData: { ticket } },
      findFull: false,
    });
    expect(doomedNames(planDeletion({ ...inventory, backups }, request(2n)))).toEqual([deltaOnDelta]);
    expect(() => planDeletion({ ...inventory, backups }, request(77n))).toThrow(NotFoundError);
    const alike = backups.map((backup) => ({ ...backup, userData: { ticket: 1n } }));
    expect(() => planDeletion({ ...inventory, backups: alike }, request(1n))).toThrow(/several backups have these/);
  });
});

describe('backups without a sentinel', () => {
  const beingTaken = { segment: 3, unfinishedSince: hoursAgo(2) };
  const abandoned = { segment: 3, unfinishedSince: hoursAgo(30) };

  it('are left alone, with the WAL from their start on, while something is stored for them', () => {
    const result = plan([{ segment: 2 }, beingTaken, { segment: 6 }], wal(1, 8), retain(1));
    expect(result.leftovers).toEqual([]);
    expect(walNames(result)).toEqual(wal(1, 2));
    expect(plan([{ segment: 2 }, beingTaken, { segment: 6 }], wal(1, 8), garbage()).leftovers).toEqual([]);
  });

  it('keep what they stand on, when they are deltas', () => {
    const backups = [
      { segment: 1 },
      { segment: 2, parent: 0 },
      { segment: 3, parent: 1, unfinishedSince: hoursAgo(2) },
      { segment: 6 },
    ];
    const [full = '', delta = ''] = namesOf(backups);
    expect(doomedNames(plan(backups, [], retain(1)))).toEqual([]);
    for (const name of [full, delta]) expect(() => plan(backups, [], target(name))).toThrow(BusyError);
    const interrupted = backups.with(2, { segment: 3, parent: 1, unfinishedSince: hoursAgo(30) });
    expect(doomedNames(plan(interrupted, [], retain(1)))).toEqual([delta, full]);
  });

  it('no longer hold up WAL when nothing was stored for a day, and are garbage', () => {
    const backups = [{ segment: 2 }, abandoned, { segment: 6 }];
    const result = plan(backups, wal(1, 8), retain(1));
    expect(result.leftovers).toEqual([]);
    expect(walNames(result)).toEqual(wal(1, 5));
    expect(plan(backups, wal(1, 8), garbage()).leftovers).toMatchObject([{ name: namesOf(backups)[1] }]);
  });

  it('end delete everything, unless it is forced', () => {
    expect(() => plan([beingTaken], [], { kind: 'everything', force: false })).toThrow(BusyError);
    expect(plan([beingTaken], [], { kind: 'everything', force: true }).leftovers).toHaveLength(1);
    expect(plan([abandoned], [], { kind: 'everything', force: false }).leftovers).toHaveLength(1);
  });
});

describe('backups with a sentinel that cannot be read', () => {
  it('are kept, with the WAL from their start on', () => {
    const backups = [{ segment: 2 }, { segment: 4, isDamaged: true }, { segment: 6 }];
    const result = plan(backups, wal(1, 8), retain(1));
    expect(doomedNames(result)).toEqual(namesOf(backups).slice(0, 1));
    expect(walNames(result)).toEqual(wal(1, 3));
  });
});

describe('a backup that cannot be read', () => {
  const backups = [
    { segment: 2 },
    { segment: 4, parent: 0, isDamaged: true },
    { segment: 6, parent: 1 },
    { segment: 8 },
  ];
  const [full = '', damaged = '', onIt = ''] = namesOf(backups);

  it('keeps what it stands on', () => {
    expect(() => plan(backups, [], target(full))).toThrow(BusyError);
    expect(doomedNames(plan(backups, [], retain(1)))).toEqual([onIt]);
  });

  it('is deleted by its name, with those that stand on it', () => {
    expect(doomedNames(plan(backups, [], target(damaged)))).toEqual([onIt, damaged]);
  });
});

describe('a backup that is completed while the repository is read', () => {
  const backups = [{ segment: 2 }, { segment: 4 }];
  const [, completed = ''] = namesOf(backups);
  const sentinel = `basebackups_005/${completed}_backup_stop_sentinel.json`;
  const inventory = inventoryOf(backups, []);
  const before = { ...inventory, objects: inventory.objects.filter(({ key }) => key !== sentinel) };

  it('loses the sentinel that was not listed yet, when its parts go', () => {
    for (const request of [target(completed), { kind: 'everything', force: false } as const]) {
      const doomed = planDeletion(before, request).backups.find(({ name }) => name === completed);
      expect(doomed?.objects.map(({ key }) => key)).toContain(sentinel);
    }
  });
});

describe('delete garbage', () => {
  const backups = [{ segment: 3, unfinishedSince: hoursAgo(48) }, { segment: 4 }];

  it('removes what lies before the oldest ordinary backup, and what interrupted ones have left', () => {
    const result = plan(backups, wal(1, 5), garbage());
    expect(walNames(result)).toEqual(wal(1, 3));
    expect(result.leftovers).toHaveLength(1);
  });

  it('removes one of the two when told so', () => {
    expect(plan(backups, wal(1, 5), garbage('ARCHIVES')).leftovers).toEqual([]);
    expect(plan(backups, wal(1, 5), garbage('BACKUPS')).wal).toEqual([]);
  });

  it('removes no WAL where there is no ordinary backup, unless told to', () => {
    const permanent = [{ segment: 4, isPermanent: true }];
    expect(plan([], wal(1, 5), garbage()).wal).toEqual([]);
    expect(plan(permanent, wal(1, 9), garbage()).wal).toEqual([]);
    expect(walNames(plan(permanent, wal(1, 9), garbage(undefined, true)))).toEqual([...wal(1, 3), ...wal(6, 9)]);
  });
});

describe('delete everything', () => {
  it('removes all below the folders of the repository, histories included', () => {
    const inventory = inventoryOf([{ segment: 2 }], [...wal(1, 3), '00000002.history.zst']);
    const stray = objectInfo('basebackups_005/stray.txt');
    const result = planDeletion(
      { ...inventory, objects: [...inventory.objects, stray] },
      { kind: 'everything', force: false },
    );
    const keys = [...result.backups, ...result.leftovers]
      .flatMap(({ objects }) => objects)
      .concat(result.wal, result.other);
    expect(keys.map(({ key }) => key).sort()).toEqual([...inventory.objects, stray].map(({ key }) => key).sort());
  });
});

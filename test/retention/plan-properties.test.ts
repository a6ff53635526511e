import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeawallError } from '../../src/errors.ts';
import { backupPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { type DeletionPlan, planDeletion } from '../../src/retention/plan.ts';
import type { DeleteRequest } from '../../src/retention/request.ts';
import { type InventoryBackup, inventoryOf, namesOf, now, segmentName } from '../support/retention-inventory.ts';

const segments = 24;
const day = (number: number): Date => new Date(Date.UTC(2026, 0, 1 + number));

/** Backups on three timelines, in any order of time, with chains that may cross; the first of two that share a name counts. */
const anyBackups: fc.Arbitrary<InventoryBackup[]> = fc
  .uniqueArray(
    fc.record({
      timeline: fc.integer({ min: 1, max: 3 }),
      segment: fc.integer({ min: 1, max: segments - 2 }),
      day: fc.integer({ min: 0, max: 40 }),
      isPermanent: fc.boolean(),
      state: fc.constantFrom('whole', 'whole', 'whole', 'whole', 'damaged', 'young', 'abandoned'),
      isDelta: fc.boolean(),
      parent: fc.nat(),
    }),
    { selector: ({ timeline, segment }) => `${timeline}/${segment}`, maxLength: 8 },
  )
  .map((drawn) =>
    drawn.map(({ state, isDelta, parent, ...backup }, index): InventoryBackup => {
      const upon = index === 0 || !isDelta ? backup : { ...backup, parent: parent % index };
      switch (state) {
        case 'young':
          return { ...upon, unfinishedSince: new Date(now.getTime() - 3_600_000) };
        case 'abandoned':
          return { ...upon, unfinishedSince: new Date(now.getTime() - 48 * 3_600_000) };
        case 'damaged':
          return { ...upon, isDamaged: true };
        default:
          return upon;
      }
    }),
  );

const anyModifier = fc.constantFrom(undefined, 'FULL' as const, 'FIND_FULL' as const);
const anyTime = fc.integer({ min: 0, max: 45 }).map((number) => ({ time: day(number) }));

function anyRequest(backups: readonly InventoryBackup[]): fc.Arbitrary<DeleteRequest> {
  const anyName = fc.constantFrom('LATEST', ...namesOf(backups)).map((name) => ({ name }));
  const useSentinelTime = fc.boolean();
  const findFull = fc.boolean();
  return fc.oneof(
    fc.record({
      kind: fc.constant('before' as const),
      from: fc.oneof(anyName, anyTime),
      findFull,
      useSentinelTime,
    }),
    fc.record({
      kind: fc.constant('retain' as const),
      count: fc.integer({ min: 1, max: 4 }),
      modifier: anyModifier,
      after: fc.oneof(fc.constant(undefined), anyName, anyTime),
      useSentinelTime,
    }),
    fc.record({ kind: fc.constant('target' as const), backup: anyName, findFull }),
    fc.record({
      kind: fc.constant('garbage' as const),
      only: fc.constantFrom(undefined, 'ARCHIVES' as const, 'BACKUPS' as const),
      withoutBackups: fc.boolean(),
    }),
  );
}

const anyCase = anyBackups.chain((backups) =>
  fc.record({ backups: fc.constant(backups), request: anyRequest(backups) }),
);

const allWal = [1, 2, 3].flatMap((timeline) =>
  Array.from({ length: segments }, (_, segment) => `${segmentName(segment, timeline)}.zst`),
);

/** The plan, or undefined where the request is refused, which loses nothing. */
function planOf(backups: readonly InventoryBackup[], request: DeleteRequest): DeletionPlan | undefined {
  try {
    return planDeletion(inventoryOf(backups, allWal), request);
  } catch (error) {
    if (error instanceof SeawallError) return undefined;
    throw error;
  }
}

const keysOf = (plan: DeletionPlan): Set<string> =>
  new Set(
    [...plan.backups, ...plan.leftovers]
      .flatMap(({ objects }) => objects)
      .concat(plan.wal, plan.other)
      .map(({ key }) => key),
  );

/** Holds for every plan of any repository and request. */
function always(
  check: (found: {
    backups: InventoryBackup[];
    names: string[];
    plan: DeletionPlan;
    keys: Set<string>;
    request: DeleteRequest;
  }) => void,
) {
  fc.assert(
    fc.property(anyCase, ({ backups, request }) => {
      const plan = planOf(backups, request);
      if (plan !== undefined) check({ backups, request, names: namesOf(backups), plan, keys: keysOf(plan) });
    }),
    { numRuns: 2000 },
  );
}

const isBackup = ({ unfinishedSince, isDamaged }: InventoryBackup): boolean =>
  unfinishedSince === undefined && isDamaged !== true;

describe('a plan of deletion', () => {
  it('removes a backup with all of its objects, or none of them', () => {
    always(({ names, keys, plan }) => {
      const going = new Set([...plan.backups, ...plan.leftovers].map(({ name }) => name));
      for (const name of names) {
        const found = [...keys].filter((key) => key === sentinelKey(name) || key.startsWith(backupPrefix(name)));
        expect(found.length > 0).toBe(going.has(name));
        if (plan.backups.some((backup) => backup.name === name)) expect(found).toHaveLength(3);
      }
    });
  });

  it('keeps what every kept backup stands on, and removes children before their parents', () => {
    always(({ backups, names, plan }) => {
      const order = plan.backups.map(({ name }) => name);
      for (const [index, { parent, unfinishedSince }] of backups.entries()) {
        const name = names[index] ?? '';
        const below = parent === undefined ? -1 : order.indexOf(names[parent] ?? '');
        const isAbandoned = (unfinishedSince?.getTime() ?? now.getTime()) < now.getTime() - 86_400_000;
        if (below === -1 || isAbandoned) continue;
        expect(order).toContain(name);
        expect(order.indexOf(name)).toBeLessThan(below);
      }
    });
  });

  it('never touches a permanent backup, one that is being taken, or one that cannot be read unless it is named', () => {
    always(({ backups, names, keys, request }) => {
      for (const [index, backup] of backups.entries()) {
        const isYoung =
          backup.unfinishedSince !== undefined && now.getTime() - backup.unfinishedSince.getTime() < 86_400_000;
        const isKept = (isBackup(backup) && backup.isPermanent === true) || isYoung || backup.isDamaged === true;
        const isNamed = request.kind === 'target' && 'name' in request.backup && request.backup.name === names[index];
        if (!isKept || isNamed) continue;
        expect([...keys].filter((key) => key.includes(`${names[index]}/`) || key.includes(`${names[index]}_`))).toEqual(
          [],
        );
      }
    });
  });

  it('keeps the WAL that every kept backup needs to become consistent', () => {
    always(({ backups, names, keys, plan }) => {
      for (const [index, backup] of backups.entries()) {
        if (!isBackup(backup) || plan.backups.some(({ name }) => name === names[index])) continue;
        for (const segment of [backup.segment, backup.segment + 1]) {
          expect(keys).not.toContain(`wal_005/${segmentName(segment, backup.timeline)}.zst`);
        }
      }
    });
  });

  it('keeps all WAL from every kept ordinary backup on, along its own timeline and every younger one', () => {
    always(({ backups, names, keys, plan }) => {
      // What a permanent backup stands on goes without a window of its own, as that backup does.
      const withoutWindow = new Set<number>();
      for (const [index, { isPermanent }] of backups.entries()) {
        if (isPermanent !== true) continue;
        for (let next: number | undefined = index; next !== undefined; next = backups[next]?.parent)
          withoutWindow.add(next);
      }
      for (const [index, backup] of backups.entries()) {
        const isGone = plan.backups.some(({ name }) => name === names[index]);
        if (!isBackup(backup) || isGone || withoutWindow.has(index)) continue;
        const { timeline = 1, segment } = backup;
        const lost = [...keys].filter(
          (key) => key.startsWith('wal_005/') && key >= `wal_005/${segmentName(segment, timeline)}`,
        );
        expect(lost).toEqual([]);
      }
    });
  });

  it('keeps at least one backup when it is to keep some', () => {
    fc.assert(
      fc.property(anyCase, ({ backups, request }) => {
        if (request.kind === 'target') return;
        const plan = planOf(backups, request);
        const count = backups.filter(isBackup).length;
        if (plan === undefined || count === 0) return;
        expect(plan.backups.length).toBeLessThan(count);
      }),
      { numRuns: 1000 },
    );
  });

  it('is done: the same request on what it leaves finds nothing to delete', () => {
    fc.assert(
      fc.property(anyCase, ({ backups, request }) => {
        if (request.kind === 'target') return;
        const inventory = inventoryOf(backups, allWal);
        const plan = planOf(backups, request);
        if (plan === undefined) return;
        const keys = keysOf(plan);
        const left = {
          ...inventory,
          objects: inventory.objects.filter(({ key }) => !keys.has(key)),
          backups: inventory.backups.filter(({ name }) => !plan.backups.some((backup) => backup.name === name)),
        };
        const again = (() => {
          try {
            return planDeletion(left, request);
          } catch (error) {
            if (error instanceof SeawallError) return undefined;
            throw error;
          }
        })();
        if (again !== undefined) expect([...keysOf(again)]).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

import { walFolder } from '../repository/layout.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import type { DeletionPlan } from './plan.ts';

/** What a plan removes of one kind. */
export interface PlannedKind {
  readonly kind: 'backups' | 'unfinished backups' | 'wal' | 'other';
  readonly objectCount: number;
  readonly sizeBytes: number;
  /** The backups' names; of WAL the first and the last file, without their suffixes; of others their keys. */
  readonly names: readonly string[];
}

/** Sums a plan up by kind; kinds of which nothing goes are left out. */
export function describePlan(plan: DeletionPlan): PlannedKind[] {
  const walNames = plan.wal.map(({ key }) => key.slice(walFolder.length).replace(/\.[^.]*$/, ''));
  const [first] = walNames;
  const last = walNames.at(-1);
  return [
    sum('backups', plan.backups.flatMap(objectsOf), plan.backups.map(nameOf)),
    sum('unfinished backups', plan.leftovers.flatMap(objectsOf), plan.leftovers.map(nameOf)),
    sum('wal', plan.wal, first === undefined || last === undefined ? [] : [first, last]),
    sum(
      'other',
      plan.other,
      plan.other.map(({ key }) => key),
    ),
  ].filter(({ objectCount }) => objectCount > 0);
}

const objectsOf = ({ objects }: { objects: readonly ObjectInfo[] }): readonly ObjectInfo[] => objects;
const nameOf = ({ name }: { name: string }): string => name;

function sum(kind: PlannedKind['kind'], objects: readonly ObjectInfo[], names: readonly string[]): PlannedKind {
  const sizeBytes = objects.reduce((total, object) => total + object.sizeBytes, 0);
  return { kind, objectCount: objects.length, sizeBytes, names };
}

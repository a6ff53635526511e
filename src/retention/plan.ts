import { BusyError, UsageError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { catchupFolder, sentinelKey, startSegmentOfBackup, walFolder } from '../repository/layout.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import { backupsByName, namesBelow, permanentNames, withDependants } from './chains.ts';
import { chooseOldestKept, takenAt } from './choose-backup.ts';
import { chooseTargets } from './choose-targets.ts';
import {
  type ObjectsByBackup,
  objectsByBackup,
  type RetentionInventory,
  type UnfinishedBackup,
  unfinishedBackups,
} from './inventory.ts';
import type { DeleteRequest } from './request.ts';
import { covers, needFrom, needOfPermanent, unneededWal, type WalNeed } from './wal-needs.ts';

/** A backup that goes, with all of its objects, the sentinel among them. */
export interface DoomedBackup {
  readonly name: string;
  /** What it stands on, as far as that is known. */
  readonly parentName: string | undefined;
  readonly objects: readonly ObjectInfo[];
}

/** What a deletion removes. Nothing in it is needed by anything that stays. */
export interface DeletionPlan {
  /** Children before their parents, so that no delta ever stands on nothing. */
  readonly backups: readonly DoomedBackup[];
  /** What interrupted backups and deletions have left behind. */
  readonly leftovers: readonly DoomedBackup[];
  readonly wal: readonly ObjectInfo[];
  /** Of WAL-G's catch-up backups, and with `everything` what has no name of ours below our folders. */
  readonly other: readonly ObjectInfo[];
}

/**
 * What has a backup's name but no sentinel counts as a backup that is being taken until nothing has been stored for it for so long: even
 * a slow one stores a part every few minutes, and waits for its last WAL no longer than `walDeadline`.
 */
const abandonedAfterMs = 24 * 60 * 60 * 1000;

const nothing: DeletionPlan = { backups: [], leftovers: [], wal: [], other: [] };

/**
 * Plans a deletion; pure. What stays can be restored as before: no object of a kept backup or of what it stands on goes, no WAL
 * that one needs to become consistent, none from the oldest kept ordinary backup on, and nothing of a backup that is being taken.
 *
 * A backup goes only when it is older than the oldest kept one by its place in the WAL and by its time, so that neither a side
 * branch with a higher timeline nor a clock that was wrong takes away what is newer.
 *
 * @throws {@link UsageError} when a delta would lose what it stands on, or a permanent backup is asked for
 * @throws {@link NotFoundError} when there is no such backup
 * @throws {@link BusyError} when everything is to go while a backup is being taken
 */
export function planDeletion(inventory: RetentionInventory, request: DeleteRequest): DeletionPlan {
  switch (request.kind) {
    case 'before':
    case 'retain':
      return planOlder(inventory, request);
    case 'target':
      return planTargets(inventory, request);
    case 'everything':
      return planEverything(inventory, request.force);
    case 'garbage':
      return planGarbage(inventory, request);
  }
}

function planOlder(
  inventory: RetentionInventory,
  request: Extract<DeleteRequest, { kind: 'before' | 'retain' }>,
): DeletionPlan {
  const { backups, segmentSizeBytes, objects } = inventory;
  const byName = backupsByName(backups);
  let oldestKept = chooseOldestKept(request, backups, byName);
  if (oldestKept === undefined) return nothing;
  const mayGoFarther = request.kind === 'before' ? request.findFull : request.modifier === 'FIND_FULL';
  const permanent = permanentNames(backups, byName);
  const needed = namesBelow(unknownNames(inventory), backups, byName);
  const mayGo = ({ name }: BackupRecord) => !permanent.has(name) && !needed.has(name);
  for (;;) {
    const limit = oldestKept;
    const doomed = backups.filter((backup) => isOlder(backup, limit) && mayGo(backup));
    const orphan = findOrphan(backups, doomed);
    if (orphan === undefined) {
      const kept = backups.filter((backup) => !doomed.includes(backup));
      const needs = [...needsOf(kept, permanent, inventory), needFrom(limit.name)];
      return {
        backups: describe(withDependants(new Set(doomed.map(({ name }) => name)), doomed, byName), inventory),
        leftovers: [],
        wal: unneededWal(objects, needs, segmentSizeBytes),
        other: olderCatchups(objects, needs),
      };
    }
    if (!mayGoFarther) {
      throw new UsageError(
        `cannot delete what is older than ${limit.name}: ${orphan.delta.name} stands on ${orphan.lost.name}`,
        { hint: 'Add FIND_FULL to keep everything that the kept backups stand on.' },
      );
    }
    // Older than the last limit, so this comes to an end.
    oldestKept = orphan.lost;
  }
}

function planTargets(inventory: RetentionInventory, request: Extract<DeleteRequest, { kind: 'target' }>): DeletionPlan {
  const targets = chooseTargets(inventory, request, unknownNames(inventory));
  const byBackup = objectsByBackup(inventory.objects);
  const damaged = targets.damaged === undefined ? [] : [describeFinished(targets.damaged, byBackup)];
  return { ...nothing, backups: [...describe(targets.backups, inventory), ...damaged] };
}

function planEverything(inventory: RetentionInventory, force: boolean): DeletionPlan {
  const { backups, objects, damaged } = inventory;
  const byBackup = objectsByBackup(objects);
  const unfinished = unfinishedBackups(inventory, byBackup);
  const permanent = backups.find(({ isPermanent }) => isPermanent);
  if (!force && permanent !== undefined) {
    throw new UsageError(`cannot delete everything: backup ${permanent.name} is permanent`, {
      hint: 'Add FORCE if permanent backups are to go, too.',
    });
  }
  const young = unfinished.find((leftover) => isBeingTaken(leftover, inventory));
  if (!force && young !== undefined) {
    throw new BusyError(`cannot delete everything: backup ${young.name} seems to be taken right now`, {
      hint: 'Wait for its end, or add FORCE if it was interrupted.',
    });
  }
  const all = withDependants(new Set(backups.map(({ name }) => name)), backups, backupsByName(backups));
  const doomed = [...describe(all, inventory), ...damaged.map((name) => describeFinished(name, byBackup))];
  const leftovers = unfinished.map(({ name }) => describeName(name, byBackup));
  const named = new Set([...doomed, ...leftovers].flatMap((backup) => backup.objects.map(({ key }) => key)));
  const wal = objects.filter(({ key }) => key.startsWith(walFolder));
  const other = objects.filter(({ key }) => !key.startsWith(walFolder) && !named.has(key));
  return { backups: doomed, leftovers, wal, other };
}

function planGarbage(
  inventory: RetentionInventory,
  request: Extract<DeleteRequest, { kind: 'garbage' }>,
): DeletionPlan {
  const { backups, objects, segmentSizeBytes } = inventory;
  const permanent = permanentNames(backups, backupsByName(backups));
  const byBackup = objectsByBackup(objects);
  const leftovers = unfinishedBackups(inventory, byBackup)
    .filter((unfinished) => !isBeingTaken(unfinished, inventory))
    .map(({ name }) => describeName(name, byBackup));
  const isAnchored = request.withoutBackups || backups.some(({ name }) => !permanent.has(name));
  const needs = needsOf(backups, permanent, inventory);
  return {
    backups: [],
    leftovers: request.only === 'ARCHIVES' ? [] : leftovers,
    wal: request.only === 'BACKUPS' || !isAnchored ? [] : unneededWal(objects, needs, segmentSizeBytes),
    other: [],
  };
}

/** What the kept backups need, and those that are being taken, and those of which nothing is known but their names. */
function needsOf(
  kept: readonly BackupRecord[],
  permanent: ReadonlySet<string>,
  inventory: RetentionInventory,
): WalNeed[] {
  return [
    ...kept.map((backup) =>
      permanent.has(backup.name) ? needOfPermanent(backup, inventory.segmentSizeBytes) : needFrom(backup.name),
    ),
    ...unknownNames(inventory).map(needFrom),
  ];
}

/** Backups that are being taken, and those of which nothing is known but their names. */
function unknownNames(inventory: RetentionInventory): string[] {
  const unfinished = unfinishedBackups(inventory, objectsByBackup(inventory.objects));
  const beingTaken = unfinished.filter((backup) => isBeingTaken(backup, inventory));
  return [...beingTaken.map(({ name }) => name), ...inventory.damaged];
}

function isOlder(backup: BackupRecord, limit: BackupRecord): boolean {
  return backup.startSegment < limit.startSegment && takenAt(backup) <= takenAt(limit);
}

/** A kept delta whose parent would go. */
function findOrphan(
  backups: readonly BackupRecord[],
  doomed: readonly BackupRecord[],
): { delta: BackupRecord; lost: BackupRecord } | undefined {
  for (const delta of backups) {
    if (doomed.includes(delta)) continue;
    const lost = doomed.find(({ name }) => name === delta.parent?.name);
    if (lost !== undefined) return { delta, lost };
  }
  return undefined;
}

/** By the time of its newest object. */
function isBeingTaken({ objects }: UnfinishedBackup, { now }: RetentionInventory): boolean {
  return objects.some(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() < abandonedAfterMs);
}

/** WAL-G's catch-up backups that begin in a segment which nothing needs. */
function olderCatchups(objects: readonly ObjectInfo[], needs: readonly WalNeed[]): ObjectInfo[] {
  return [...objectsByBackup(objects, catchupFolder)]
    .filter(([name]) => !needs.some((need) => covers(need, startSegmentOfBackup(name))))
    .flatMap(([, found]) => found);
}

function describe(doomed: readonly BackupRecord[], { objects }: RetentionInventory): DoomedBackup[] {
  const byBackup = objectsByBackup(objects);
  return doomed.map(({ name, parent }) => describeFinished(name, byBackup, parent?.name));
}

/** One that was completed behind the listing of the objects has a sentinel that the listing lacks, and that must not outlive its parts. */
function describeFinished(name: string, byBackup: ObjectsByBackup, parentName?: string): DoomedBackup {
  const described = describeName(name, byBackup, parentName);
  const key = sentinelKey(name);
  if (described.objects.some((object) => object.key === key)) return described;
  return { ...described, objects: [{ key, sizeBytes: 0, modifiedAt: new Date(0) }, ...described.objects] };
}

function describeName(name: string, byBackup: ObjectsByBackup, parentName?: string): DoomedBackup {
  return { name, parentName, objects: byBackup.get(name) ?? [] };
}

import pMap from 'p-map';
import type { Context } from '../context.ts';
import { describeError, LocalFileError, PermissionError, StoreError } from '../errors.ts';
import { backupManifestKey, isSentinel } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import type { DeletionPlan, DoomedBackup } from './plan.ts';
import { needFrom, unneededWal } from './wal-needs.ts';

/** What a deletion has removed. */
export interface DeletionResult {
  readonly objectCount: number;
  readonly sizeBytes: number;
}

/** S3 takes so many keys in one request; an interruption is noticed between two of them. */
const batchKeys = 1000;

/** Requests in flight while objects go one by one, after one of a batch was refused. */
const singlesAtOnce = 8;

/** When so many were refused and none has gone, nothing ever will: the credentials may not delete. */
const hopelessRefusals = 100;

/**
 * Carries a plan out. Of each backup the sentinel goes first, so that a backup never exists in part: whatever interrupts this, the rest
 * is garbage that a `garbage` request removes. A backup whose sentinel is refused (it is locked, say) stays whole, with all that it
 * stands on and the WAL from its start on; the rest goes.
 *
 * @throws {@link PermissionError} or {@link StoreError} at the end, when something was refused
 * @throws what the store throws, at once, when it cannot be reached
 */
export async function runDeletion(
  repository: Repository,
  plan: DeletionPlan,
  segmentSizeBytes: number,
  context: Context,
): Promise<DeletionResult> {
  const { store } = repository;
  const removed = { objectCount: 0, sizeBytes: 0 };
  const refusals: Error[] = [];

  const gone: DoomedBackup[] = [];
  const staying: DoomedBackup[] = [];
  for (const backup of plan.backups) {
    // Children come first, so whatever stays is known before what it stands on.
    const isParent = staying.some(({ parentName }) => parentName === backup.name);
    const isGone = !isParent && (await remove(backup.objects.filter(({ key }) => isSentinel(key))));
    (isGone ? gone : staying).push(backup);
  }
  for (const { name, objects } of [...gone, ...plan.leftovers]) {
    // The manifest holds the name, and goes last: whoever takes that for a new backup must not lose what he stores.
    const isManifest = ({ key }: ObjectInfo) => key === backupManifestKey(name);
    if (await remove(objects.filter((object) => !isSentinel(object.key) && !isManifest(object)))) {
      await remove(objects.filter(isManifest));
    }
  }
  const needs = staying.map(({ name }) => needFrom(name));
  const wal = staying.length === 0 ? plan.wal : unneededWal(plan.wal, needs, segmentSizeBytes);
  await remove(wal);
  await remove(plan.other.toSorted((a, b) => Number(isSentinel(b.key)) - Number(isSentinel(a.key))));
  const [first] = refusals;
  if (first !== undefined) throw refused(first);
  return removed;

  /** Whether all of them are gone. */
  async function remove(objects: readonly ObjectInfo[]): Promise<boolean> {
    const before = refusals.length;
    for (let start = 0; start < objects.length; start += batchKeys) {
      const batch = objects.slice(start, start + batchKeys);
      if (await tryRemove(batch)) continue;
      if (batch.length > 1) await pMap(batch, (object) => tryRemove([object]), { concurrency: singlesAtOnce });
    }
    return refusals.length === before;
  }

  async function tryRemove(objects: readonly ObjectInfo[]): Promise<boolean> {
    try {
      await store.delete(
        objects.map(({ key }) => key),
        { signal: context.signal },
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (objects.length > 1) return false;
      refusals.push(error);
      context.log.warn({ key: objects[0]?.key, cause: describeError(error) }, 'an object could not be deleted');
      if (removed.objectCount === 0 && refusals.length >= hopelessRefusals) throw refused(error);
      return false;
    }
    removed.objectCount += objects.length;
    for (const { sizeBytes } of objects) removed.sizeBytes += sizeBytes;
    return true;
  }

  function refused(first: Error): Error {
    const message = `could not delete ${refusals.length} of the objects from ${store.location}; ${removed.objectCount} are gone`;
    const details = {
      cause: first,
      hint: 'Look why the store refuses (a lock, a retention policy, missing rights), then run the same again.',
    };
    return first instanceof PermissionError
      ? new PermissionError(message, details)
      : new StoreError(message, { ...details, retryable: false });
  }
}

/** Whether the store has answered that it will not; anything else concerns all objects alike. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof StoreError) return !error.retryable;
  return error instanceof PermissionError || error instanceof LocalFileError;
}

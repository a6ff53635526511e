import { NotFoundError, UsageError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { type BackupsByName, fullBackupOf } from './chains.ts';
import type { BackupOrTime, DeleteRequest } from './request.ts';

/** When a backup was taken, by its own word where there is one; a copied repository has new times of storing. */
export function takenAt({ startedAt, modifiedAt }: BackupRecord): number {
  return (startedAt ?? modifiedAt).getTime();
}

/**
 * The oldest backup that a request of this kind keeps; undefined when the backups do not reach so far and nothing is to go.
 *
 * Backups are in WAL-G's order: by timeline and segment, or with `useSentinelTime` by the time at which they began, and the time that a
 * request names is compared with when the sentinel was stored, or with that time.
 *
 * @throws {@link NotFoundError} when there is no backup of the name
 * @throws {@link UsageError} when it is a delta, of which no older one may be deleted, and FIND_FULL was not asked for
 */
export function chooseOldestKept(
  request: Extract<DeleteRequest, { kind: 'before' | 'retain' }>,
  backups: readonly BackupRecord[],
  byName: BackupsByName,
): BackupRecord | undefined {
  const ordered = inOrder(backups, request.useSentinelTime);
  const chosen = request.kind === 'before' ? first(request.from) : retained(request);
  if (chosen === undefined) return undefined;
  const findFull = request.kind === 'before' ? request.findFull : request.modifier === 'FIND_FULL';
  if (findFull) return fullBackupOf(chosen, byName);
  if (chosen.parent === undefined) return chosen;
  throw new UsageError(
    `cannot delete what is older than ${chosen.name}: it is a delta, and stands on ${chosen.parent.name}`,
    {
      hint: 'Add FIND_FULL to keep everything from its full backup on.',
    },
  );

  function first(from: BackupOrTime): BackupRecord | undefined {
    if ('name' in from) return findByName(from.name, ordered);
    return ordered.find(
      (backup) => (request.useSentinelTime ? takenAt(backup) : backup.modifiedAt.getTime()) >= from.time.getTime(),
    );
  }

  function retained({ count, modifier, after }: Extract<DeleteRequest, { kind: 'retain' }>): BackupRecord | undefined {
    const counted = modifier === 'FULL' ? ordered.filter(({ parent }) => parent === undefined) : ordered;
    const last = counted.at(-count);
    const since = after === undefined ? last : first(after);
    if (last === undefined || since === undefined) return last;
    return ordered.indexOf(since) < ordered.indexOf(last) ? since : last;
  }
}

/** @throws {@link NotFoundError} */
export function findByName(name: string, ordered: readonly BackupRecord[]): BackupRecord {
  const found = name === 'LATEST' ? ordered.at(-1) : ordered.find((backup) => backup.name === name);
  if (found !== undefined) return found;
  throw new NotFoundError(`no backup ${JSON.stringify(name)} to delete from`, {
    hint: "See which there are with 'seawall list'.",
  });
}

function inOrder(backups: readonly BackupRecord[], useSentinelTime: boolean): BackupRecord[] {
  const byPlace = backups.toSorted((a, b) => (a.startSegment < b.startSegment ? -1 : 1));
  return useSentinelTime ? byPlace.sort((a, b) => takenAt(a) - takenAt(b)) : byPlace;
}

import { BusyError, UsageError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { findByUserData } from '../repository/find-by-user-data.ts';
import { parentSegmentOfBackup, startSegmentOfBackup } from '../repository/layout.ts';
import { backupsByName, namesBelow, permanentNames, presentChainOf, withDependants } from './chains.ts';
import { findByName } from './choose-backup.ts';
import type { RetentionInventory } from './inventory.ts';
import type { DeleteRequest } from './request.ts';

/** What a `target` request removes. */
export interface Targets {
  /** Children before their parents. */
  readonly backups: readonly BackupRecord[];
  /** The one that is asked for, when it cannot be read. */
  readonly damaged: string | undefined;
}

/**
 * The backup of a `target` request with all that stand on it, or with its whole family.
 *
 * @param unknownNames - backups that are kept, and of which only the names say on what they stand
 * @throws {@link NotFoundError} when there is no such backup
 * @throws {@link UsageError} when the user data are those of several, or one that would go is permanent or carries one that is
 * @throws {@link BusyError} when one of these would lose what it stands on
 */
export function chooseTargets(
  { backups, damaged }: Pick<RetentionInventory, 'backups' | 'damaged'>,
  { backup, findFull }: Extract<DeleteRequest, { kind: 'target' }>,
  unknownNames: readonly string[],
): Targets {
  const byName = backupsByName(backups);
  const damagedName = 'name' in backup ? damaged.find((name) => name === backup.name) : undefined;
  const roots = damagedName === undefined ? [findRoot()] : backups.filter(({ parent }) => parent?.name === damagedName);
  const what = damagedName ?? roots[0]?.name;
  const doomed = withDependants(new Set(roots.map(({ name }) => name)), backups, byName);
  const permanent = permanentNames(backups, byName);
  const needed = namesBelow(unknownNames, backups, byName);
  for (const name of [...doomed.map((each) => each.name), ...(damagedName === undefined ? [] : [damagedName])]) {
    if (permanent.has(name)) {
      throw new UsageError(`cannot delete backup ${what}: ${name} is permanent`, {
        hint: `Take the mark away first: 'seawall wal-g backup-mark -i ${name}'.`,
      });
    }
    const isParent = unknownNames.some((unknown) => parentSegmentOfBackup(unknown) === startSegmentOfBackup(name));
    if (needed.has(name) || isParent) {
      throw new BusyError(`cannot delete backup ${what}: a delta on ${name} is being taken, or cannot be read`, {
        hint: 'Wait for its end; one that cannot be read must be deleted first.',
      });
    }
  }
  return { backups: doomed, damaged: damagedName };

  function findRoot(): BackupRecord {
    const chosen = 'name' in backup ? findByName(backup.name, backups) : findByUserData(backup.userData, backups);
    return findFull ? (presentChainOf(chosen, byName).at(-1) ?? chosen) : chosen;
  }
}

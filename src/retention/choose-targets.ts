import { UsageError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { findByUserData } from '../repository/find-by-user-data.ts';
import { backupsByName, chainOf, permanentNames, withDependants } from './chains.ts';
import { findByName } from './choose-backup.ts';
import type { DeleteRequest } from './request.ts';

/**
 * The backup of a `target` request with all that stand on it, or with its whole family; children before their parents.
 *
 * @throws {@link NotFoundError} when there is no such backup
 * @throws {@link UsageError} when the user data are those of several, or one that would go is permanent or carries one that is
 */
export function chooseTargets(
  backups: readonly BackupRecord[],
  { backup, findFull }: Extract<DeleteRequest, { kind: 'target' }>,
): BackupRecord[] {
  const byName = backupsByName(backups);
  const chosen = 'name' in backup ? findByName(backup.name, backups) : findByUserData(backup.userData, backups);
  const root = findFull ? (chainOf(chosen, byName).at(-1) ?? chosen) : chosen;
  const doomed = withDependants(new Set([root.name]), backups, byName);
  const permanent = permanentNames(backups, byName);
  const keeper = doomed.find(({ name }) => permanent.has(name));
  if (keeper === undefined) return doomed;
  throw new UsageError(`cannot delete backup ${chosen.name}: ${keeper.name} is permanent`, {
    hint: `Take the mark away first: 'seawall wal-g backup-mark -i ${keeper.name}'.`,
  });
}

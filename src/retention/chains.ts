import { NotFoundError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { parentSegmentOfBackup } from '../repository/layout.ts';

/** Backups by name. */
export type BackupsByName = ReadonlyMap<string, BackupRecord>;

export function backupsByName(backups: readonly BackupRecord[]): BackupsByName {
  return new Map(backups.map((backup) => [backup.name, backup]));
}

/** The backup, its parent, the parent's parent and so on, as far as they exist. */
export function presentChainOf(backup: BackupRecord, byName: BackupsByName): BackupRecord[] {
  const chain: BackupRecord[] = [];
  let next: BackupRecord | undefined = backup;
  // Sentinels that name each other as parents must not keep us here for ever.
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.parent === undefined ? undefined : byName.get(next.parent.name);
  }
  return chain;
}

/** The full backup at the bottom of a chain. @throws {@link NotFoundError} when a parent is missing */
export function fullBackupOf(backup: BackupRecord, byName: BackupsByName): BackupRecord {
  const bottom = presentChainOf(backup, byName).at(-1) ?? backup;
  if (bottom.parent === undefined) return bottom;
  throw new NotFoundError(`the parent of backup ${bottom.name} is missing: ${bottom.parent.name}`, {
    hint: "The chain cannot be restored: remove what stands on the missing backup with 'delete target'.",
  });
}

/** Those that stand on one of the backups, with these themselves; children come before their parents. */
export function withDependants(
  names: ReadonlySet<string>,
  backups: readonly BackupRecord[],
  byName: BackupsByName,
): BackupRecord[] {
  return backups
    .map((backup) => presentChainOf(backup, byName))
    .filter((chain) => chain.some(({ name }) => names.has(name)))
    .sort((a, b) => b.length - a.length)
    .flatMap(([backup]) => backup ?? []);
}

/** The permanent backups and what they stand on: none of it may go. */
export function permanentNames(backups: readonly BackupRecord[], byName: BackupsByName): Set<string> {
  const permanent = backups.filter(({ isPermanent }) => isPermanent);
  return new Set(permanent.flatMap((backup) => presentChainOf(backup, byName).map(({ name }) => name)));
}

/** What backups stand on of which nothing is known but their names. */
export function namesBelow(
  names: readonly string[],
  backups: readonly BackupRecord[],
  byName: BackupsByName,
): Set<string> {
  const segments = new Set(names.map(parentSegmentOfBackup));
  const parents = backups.filter(({ startSegment }) => segments.has(startSegment));
  return new Set(parents.flatMap((parent) => presentChainOf(parent, byName).map(({ name }) => name)));
}

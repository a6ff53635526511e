import type { Context } from '../context.ts';
import { type BackupRecord, listBackups } from '../repository/backup-catalogue.ts';
import { backupFolder, backupNameOfSentinelKey, isBackupName, isSentinel } from '../repository/layout.ts';
import { listObjects } from '../repository/list-objects.ts';
import type { Repository } from '../repository/repository.ts';
import { findSegmentSize } from '../repository/segment-size.ts';
import type { ObjectInfo } from '../storage/object-store.ts';

/** Everything that a plan of deletion is made from. */
export interface RetentionInventory {
  /** The newest last, by the time at which their sentinels were stored. */
  readonly backups: readonly BackupRecord[];
  /** Names of backups that have a sentinel which cannot be read. */
  readonly damaged: readonly string[];
  /** Every object below the repository's folders. */
  readonly objects: readonly ObjectInfo[];
  readonly segmentSizeBytes: number;
  readonly now: Date;
}

/** The objects of what has a backup's name, but no sentinel: being taken, interrupted, or deleted in part. */
export interface UnfinishedBackup {
  readonly name: string;
  readonly objects: readonly ObjectInfo[];
}

/** Objects of what has a backup's name, its sentinel among them if there is one. */
export type ObjectsByBackup = ReadonlyMap<string, readonly ObjectInfo[]>;

/**
 * Reads what a repository holds. The objects are listed before the backups are read, so that a backup that is completed meanwhile
 * counts as a backup, and WAL that arrives meanwhile is in no plan.
 */
export async function readInventory(repository: Repository, context: Context): Promise<RetentionInventory> {
  const { signal, log } = context;
  const objects = await listObjects(repository, { signal });
  const damaged: string[] = [];
  const backups = await listBackups(repository, {
    signal,
    onDamaged: ({ name, error }) => {
      damaged.push(name);
      log.warn({ backup: name, err: error }, 'backup cannot be read; it is kept, and the WAL from its start on');
    },
  });
  const segmentSizeBytes = await findSegmentSize(repository, backups, { signal });
  return { backups, damaged, objects, segmentSizeBytes, now: context.clock.now() };
}

/** The objects below a folder of backups by the name of the backup to which they belong; what belongs to none is left out. */
export function objectsByBackup(objects: readonly ObjectInfo[], folder: string = backupFolder): ObjectsByBackup {
  const byName = new Map<string, ObjectInfo[]>();
  for (const object of objects) {
    if (!object.key.startsWith(folder)) continue;
    const inFolder = object.key.slice(folder.length);
    const name = backupNameOfSentinelKey(backupFolder + inFolder) ?? inFolder.slice(0, inFolder.indexOf('/'));
    if (!isBackupName(name)) continue;
    const found = byName.get(name);
    if (found === undefined) byName.set(name, [object]);
    else found.push(object);
  }
  return byName;
}

/** What has a backup's name but neither a sentinel nor a place among the backups. */
export function unfinishedBackups(
  { backups, damaged }: RetentionInventory,
  byName: ObjectsByBackup,
): UnfinishedBackup[] {
  const finished = new Set([...backups.map(({ name }) => name), ...damaged]);
  return [...byName]
    .filter(([name, objects]) => !finished.has(name) && !objects.some(({ key }) => isSentinel(key)))
    .map(([name, objects]) => ({ name, objects }));
}

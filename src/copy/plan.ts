import { AlreadyExistsError, NotFoundError } from '../errors.ts';
import { formatSegmentName, segmentBeforeLsn } from '../postgres/wal-name.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import {
  backupFolder,
  backupNameOfSentinelKey,
  backupPrefix,
  isSentinel,
  sentinelKey,
  walFolder,
} from '../repository/layout.ts';
import type { ObjectInfo } from '../storage/object-store.ts';

/** What a plan of copying is made from. */
export interface CopyFacts {
  /** The backups of the source, the newest last. */
  readonly backups: readonly BackupRecord[];
  /** Names of those whose sentinels cannot be read. */
  readonly damaged: readonly string[];
  /** Every object below the folders of the source, listed after the backups were. */
  readonly objects: readonly ObjectInfo[];
  /** What the destination holds already: sizes by key. */
  readonly present: ReadonlyMap<string, number>;
  readonly segmentSizeBytes: number;
}

/** What to copy; everything unless told otherwise. */
export interface CopyRequest {
  /** One backup with what it stands on, and the WAL from its start on. */
  readonly backup?: BackupRecord | undefined;
  /** Of the WAL just what makes that backup consistent. */
  readonly onlyToConsistency: boolean;
}

/** What a copy stores, and in which order. */
export interface CopyPlan {
  /** In any order, several at a time. */
  readonly objects: readonly ObjectInfo[];
  /** After all of them, one after the other, so that LATEST is the same on both sides. */
  readonly sentinels: readonly ObjectInfo[];
  /** What is there already, with the same size. */
  readonly skippedCount: number;
}

/**
 * Plans a copy; pure. Timeline histories always come along. What has a backup's name but no sentinel is left out: it is being taken, or
 * was never completed. WAL-G's catch-up backups are left out, too: they are for one standby.
 *
 * @throws {@link AlreadyExistsError} when the destination holds an object of the same key and another size: nothing is ever overwritten
 * @throws {@link NotFoundError} when a parent of the backup is missing
 */
export function planCopy(facts: CopyFacts, request: CopyRequest): CopyPlan {
  const wanted = request.backup === undefined ? everything(facts) : oneBackup(facts, request.backup, request);
  const missing = wanted.filter(({ key, sizeBytes }) => {
    const presentSizeBytes = facts.present.get(key);
    if (presentSizeBytes === undefined || presentSizeBytes === sizeBytes) return presentSizeBytes === undefined;
    throw new AlreadyExistsError(
      `cannot copy ${key}: the destination has another object of that name, with ${presentSizeBytes} bytes instead of ${sizeBytes}`,
      {
        hint: 'Copy to a prefix of its own, or remove the object there if it is not needed; a mark as permanent is set on each side.',
      },
    );
  });
  const byTime = (a: ObjectInfo, b: ObjectInfo) => a.modifiedAt.getTime() - b.modifiedAt.getTime();
  return {
    objects: missing.filter(({ key }) => !isSentinel(key)),
    sentinels: missing.filter(({ key }) => isSentinel(key)).sort(byTime),
    skippedCount: wanted.length - missing.length,
  };
}

function everything({ backups, damaged, objects }: CopyFacts): ObjectInfo[] {
  const names = new Set([...backups.map(({ name }) => name), ...damaged]);
  return objects.filter(({ key }) => {
    if (key.startsWith(walFolder)) return true;
    const name = backupNameOfSentinelKey(key) ?? key.slice(backupFolder.length).split('/')[0] ?? '';
    return key.startsWith(backupFolder) && names.has(name);
  });
}

function oneBackup(facts: CopyFacts, backup: BackupRecord, { onlyToConsistency }: CopyRequest): ObjectInfo[] {
  const names = chainNames(backup, facts.backups);
  const { from, to } = walOf(backup, facts.segmentSizeBytes);
  const isWanted = (key: string): boolean => {
    if (!key.startsWith(walFolder)) {
      return names.some((name) => key === sentinelKey(name) || key.startsWith(backupPrefix(name)));
    }
    const fileName = key.slice(walFolder.length);
    const segment = /^[0-9A-F]{24}/.exec(fileName)?.[0];
    if (segment === undefined) return fileName.includes('.history');
    return segment >= from && (!onlyToConsistency || segment <= to);
  };
  return facts.objects.filter(({ key }) => isWanted(key));
}

function chainNames(backup: BackupRecord, backups: readonly BackupRecord[]): string[] {
  const names = [backup.name];
  let { parent } = backup;
  while (parent !== undefined) {
    const { name }: { name: string } = parent;
    const below = backups.find((each) => each.name === name);
    if (below === undefined || names.includes(name)) {
      throw new NotFoundError(`cannot copy backup ${backup.name}: it stands on ${name}, which is missing`, {
        hint: 'Copy a backup whose chain is complete.',
      });
    }
    names.push(name);
    parent = below.parent;
  }
  return names;
}

/** The first and the last segment that a backup needs to become consistent, from the byte before its start to its end. */
function walOf(backup: BackupRecord, segmentSizeBytes: number): { from: string; to: string } {
  const nameOf = (lsn: BackupRecord['startLsn']) =>
    formatSegmentName(segmentBeforeLsn(backup.timeline, lsn, segmentSizeBytes), segmentSizeBytes);
  return { from: nameOf(backup.startLsn), to: nameOf(backup.finishLsn) };
}

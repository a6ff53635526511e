import { parseLsn } from '../../src/postgres/lsn.ts';
import { backupManifestKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import type { RetentionInventory } from '../../src/retention/inventory.ts';
import type { ObjectInfo } from '../../src/storage/object-store.ts';
import { backupRecord } from './backup-record.ts';

const segmentSizeBytes = 16 * 1024 * 1024;
/** When all of a test's deletions happen. */
export const now: Date = new Date('2026-03-01T00:00:00Z');

/** A backup in a test of retention. */
export interface InventoryBackup {
  readonly timeline?: number;
  /** Number of the segment in which it begins, below 256; it ends in the next one. */
  readonly segment: number;
  /** Days after the first of January 2026 on which it was taken; by default the number of the segment. */
  readonly day?: number;
  /** Its place among the backups; the one it stands on. */
  readonly parent?: number | undefined;
  readonly isPermanent?: boolean;
  /** Without a sentinel, and when the last of its objects was stored. */
  readonly unfinishedSince?: Date;
  /** With a sentinel that cannot be read. */
  readonly isDamaged?: boolean;
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** The name of a segment with that number, below 256. */
export function segmentName(segment: number, timeline = 1): string {
  return `${hex(timeline, 8)}00000000${hex(segment, 8)}`;
}

/** An object of a store. */
export function objectInfo(key: string, modifiedAt: Date = new Date('2026-01-01T00:00:00Z')): ObjectInfo {
  return { key, sizeBytes: 100, modifiedAt };
}

/** The names of the backups. */
export function namesOf(backups: readonly InventoryBackup[]): string[] {
  const startOf = ({ segment, timeline }: InventoryBackup) => segmentName(segment, timeline);
  return backups.map((backup) => {
    const parent = backup.parent === undefined ? undefined : backups[backup.parent];
    return `base_${startOf(backup)}${parent === undefined ? '' : `_D_${startOf(parent)}`}`;
  });
}

/** What a repository with these backups and WAL files holds. */
export function inventoryOf(backups: readonly InventoryBackup[], walFileNames: readonly string[]): RetentionInventory {
  const names = namesOf(backups);
  const objects = walFileNames.map((fileName) => objectInfo(`wal_005/${fileName}`));
  const records = backups.flatMap((backup, index) => {
    const name = names[index] ?? '';
    const { segment, day = segment, parent, isPermanent = false, unfinishedSince, isDamaged = false } = backup;
    const takenAt = new Date(Date.UTC(2026, 0, 1 + day));
    const storedAt = unfinishedSince ?? takenAt;
    objects.push(
      objectInfo(`${partsPrefix(name)}part_001.tar.zst`, storedAt),
      objectInfo(backupManifestKey(name), storedAt),
    );
    if (unfinishedSince !== undefined) return [];
    objects.push(objectInfo(sentinelKey(name), storedAt));
    if (isDamaged) return [];
    const below = parent === undefined ? undefined : names[parent];
    const finishedAt = takenAt.toISOString();
    return backupRecord({
      name,
      finishLsn: `0/${hex(segment + 1, 2)}000100`,
      finishedAt,
      isPermanent,
      ...(below === undefined ? {} : { parent: { name: below, fullName: below, count: 1, startLsn: parseLsn('0/0') } }),
    });
  });
  const byTime = records.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime());
  const damaged = names.filter((_, index) => backups[index]?.isDamaged === true);
  return { backups: byTime, damaged, objects, segmentSizeBytes, now };
}

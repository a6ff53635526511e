import type { Codec } from '../codec/codec.ts';
import { UsageError } from '../errors.ts';

/**
 * Every key of the repository, in WAL-G's layout:
 *
 * ```
 * wal_005/<WAL file name>.<suffix>
 * basebackups_005/<backup>_backup_stop_sentinel.json     its presence means that the backup exists
 * basebackups_005/<backup>/metadata.json
 * basebackups_005/<backup>/files_metadata.json
 * basebackups_005/<backup>/backup_manifest               ours: PostgreSQL's own format, not compressed, but encrypted as parts are
 * basebackups_005/<backup>/tar_partitions/part_001.tar.<suffix>
 * basebackups_005/<backup>/tar_partitions/pg_control.tar.<suffix>
 * basebackups_005/<backup>/tar_partitions/backup_label.tar.<suffix>
 * ```
 */
export const walFolder = 'wal_005/';
export const backupFolder = 'basebackups_005/';
/** WAL-G's catch-up backups, which bring a standby forward; laid out as {@link backupFolder}. We neither write nor read them. */
export const catchupFolder = 'catchup_005/';

const sentinelEnding = '_backup_stop_sentinel.json';
const backupNamePattern = /^base_([0-9A-F]{24})(?:_D_[0-9A-F]{24})*(?:_[0-9A-F]{8})?$/;

/** A name that follows the rules, e.g. `base_000000010000000000000002`, with `_D_<segment>` for a delta and WAL-E's offset. */
export function isBackupName(text: string): boolean {
  return backupNamePattern.test(text);
}

/** Whether a backup's name ends with an offset in its segment, as WAL-E's names do. */
export function hasWaleOffset(backupName: string): boolean {
  return isBackupName(backupName) && /_[0-9A-F]{8}$/.test(backupName);
}

/** The segment in which a backup begins, from its name. @throws {@link UsageError} when it is no backup name */
export function startSegmentOfBackup(backupName: string): string {
  const segment = backupNamePattern.exec(backupName)?.[1];
  if (segment === undefined) throw new UsageError(`not the name of a backup: ${JSON.stringify(backupName)}`);
  return segment;
}

/** The segment in which the parent of a delta begins, from the delta's name; undefined for a full backup. */
export function parentSegmentOfBackup(backupName: string): string | undefined {
  return /^base_[0-9A-F]{24}_D_([0-9A-F]{24})/.exec(backupName)?.[1];
}

/** The name of a full backup that begins in this segment. */
export function fullBackupName(startSegment: string): string {
  return `base_${startSegment}`;
}

/** Where a WAL file of this name is stored when it is written with this codec. */
export function walKey(fileName: string, codec: Codec): string {
  return walFolder + withSuffix(fileName, codec);
}

/** What every spelling of a WAL file's key begins with; other files' keys may begin so too. */
export function walKeyPrefix(fileName: string): string {
  return walFolder + fileName;
}

export function sentinelKey(backupName: string): string {
  return backupFolder + backupName + sentinelEnding;
}

/** Whether a key is that of a sentinel, in whatever folder of backups. */
export function isSentinel(key: string): boolean {
  return backupNameOfSentinelKey(backupFolder + key.slice(key.indexOf('/') + 1)) !== undefined;
}

/** The backup whose sentinel this key is, or undefined for any other key. */
export function backupNameOfSentinelKey(key: string): string | undefined {
  if (!key.startsWith(backupFolder) || !key.endsWith(sentinelEnding)) return undefined;
  const name = key.slice(backupFolder.length, -sentinelEnding.length);
  return isBackupName(name) ? name : undefined;
}

/** Everything of a backup but its sentinel lies below this prefix. */
export function backupPrefix(backupName: string): string {
  return `${backupFolder}${backupName}/`;
}

export function metadataKey(backupName: string): string {
  return `${backupPrefix(backupName)}metadata.json`;
}

export function filesMetadataKey(backupName: string): string {
  return `${backupPrefix(backupName)}files_metadata.json`;
}

export function backupManifestKey(backupName: string): string {
  return `${backupPrefix(backupName)}backup_manifest`;
}

/** Every part of a backup lies below this prefix. */
export function partsPrefix(backupName: string): string {
  return `${backupPrefix(backupName)}tar_partitions/`;
}

/** File name of the n-th part, counted from 1: `part_001.tar.zst`. */
export function partFileName(partNumber: number, codec: Codec): string {
  return withSuffix(`part_${String(partNumber).padStart(3, '0')}.tar`, codec);
}

export function controlPartFileName(codec: Codec): string {
  return withSuffix('pg_control.tar', codec);
}

export function labelPartFileName(codec: Codec): string {
  return withSuffix('backup_label.tar', codec);
}

/** What follows the stem of a WAL-G object name: `.zst` gives `zst`; nothing, or a lone dot, gives '' (codec `none` in both spellings). */
export function suffixAfter(stem: string, name: string): string | undefined {
  if (!name.startsWith(stem)) return undefined;
  const rest = name.slice(stem.length);
  if (rest === '' || rest === '.') return '';
  return rest.startsWith('.') && !rest.slice(1).includes('.') ? rest.slice(1) : undefined;
}

function withSuffix(name: string, codec: Codec): string {
  return codec.suffix === '' ? name : `${name}.${codec.suffix}`;
}

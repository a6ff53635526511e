import { type ZodType, z } from 'zod';
import { type Lsn, toLsn } from '../postgres/lsn.ts';
import { formatDate } from './instant.ts';
import { formatJsonObject, instant, parseJsonObject, safeCount, unsigned64 } from './json-object.ts';
import { dateFormat, type Sentinel } from './sentinel.ts';

/** A backup's metadata.json: a short copy of the sentinel, and the only place that says whether the backup is permanent. */
export interface BackupMetadata {
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly hostname: string;
  readonly dataDirectory: string;
  readonly pgVersion: number;
  readonly startLsn: Lsn;
  readonly finishLsn: Lsn;
  readonly isPermanent: boolean;
  readonly systemIdentifier: bigint | undefined;
  readonly uncompressedSizeBytes: number;
  readonly compressedSizeBytes: number;
  readonly userData: unknown;
}

const lsn = unsigned64.transform(toLsn);

/** The fields of WAL-G's JSON; unknown ones are left alone. */
export const backupMetadataSchema: ZodType<BackupMetadata> = z
  .object({
    start_time: instant,
    finish_time: instant,
    hostname: z.string(),
    data_dir: z.string(),
    pg_version: safeCount,
    start_lsn: lsn,
    finish_lsn: lsn,
    is_permanent: z.boolean(),
    system_identifier: unsigned64.nullish(),
    uncompressed_size: safeCount.default(0),
    compressed_size: safeCount.default(0),
    user_data: z.unknown().optional(),
  })
  .transform((json) => ({
    startedAt: json.start_time,
    finishedAt: json.finish_time,
    hostname: json.hostname,
    dataDirectory: json.data_dir,
    pgVersion: json.pg_version,
    startLsn: json.start_lsn,
    finishLsn: json.finish_lsn,
    isPermanent: json.is_permanent,
    systemIdentifier: json.system_identifier ?? undefined,
    uncompressedSizeBytes: json.uncompressed_size,
    compressedSizeBytes: json.compressed_size,
    userData: json.user_data,
  }));

/** Parses the bytes of a metadata.json. @param name - for the message @throws {@link IntegrityError} */
export function parseBackupMetadata(bytes: Uint8Array, name: string): BackupMetadata {
  return parseJsonObject(bytes, backupMetadataSchema, name);
}

/** The metadata.json that belongs to a sentinel, with WAL-G's keys in WAL-G's order. */
export function formatBackupMetadata(sentinel: Sentinel): Uint8Array {
  return formatJsonObject({
    start_time: formatDate(sentinel.startedAt),
    finish_time: formatDate(sentinel.finishedAt),
    date_fmt: dateFormat,
    hostname: sentinel.hostname,
    data_dir: sentinel.dataDirectory,
    pg_version: sentinel.pgVersion,
    start_lsn: sentinel.startLsn,
    finish_lsn: sentinel.finishLsn,
    is_permanent: sentinel.isPermanent,
    system_identifier: sentinel.systemIdentifier,
    uncompressed_size: sentinel.uncompressedSizeBytes,
    compressed_size: sentinel.compressedSizeBytes,
    user_data: sentinel.userData ?? undefined,
  });
}

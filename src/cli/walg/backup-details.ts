import { z } from 'zod';
import { NotFoundError } from '../../errors.ts';
import { formatLsn, toLsn } from '../../postgres/lsn.ts';
import type { StoredSentinel } from '../../repository/backup-catalogue.ts';
import { formatBackupMetadata } from '../../repository/backup-metadata.ts';
import { formatDate } from '../../repository/instant.ts';
import { parseJsonObject, readJsonObject, unsigned64 } from '../../repository/json-object.ts';
import { metadataKey, sentinelKey, startSegmentOfBackup } from '../../repository/layout.ts';
import type { Repository } from '../../repository/repository.ts';
import { sentinelSchema } from '../../repository/sentinel.ts';
import type { CallOptions } from '../../storage/object-store.ts';

/** WAL-G's name for the only storage there is here. */
export const storageName = 'default';

/** A backup as WAL-G's `backup-list` tells it. */
export type BackupLine = Readonly<Record<string, unknown>>;

/** The four fields that a listing alone gives, in WAL-G's order. */
export function briefLine({ name, modifiedAt }: StoredSentinel): BackupLine {
  return {
    backup_name: name,
    time: formatDate(modifiedAt),
    wal_file_name: startSegmentOfBackup(name),
    storage_name: storageName,
  };
}

/** The fields of metadata.json, in WAL-G's order; times stay the texts they are, with all their digits. */
const metadataShape = z.object({
  start_time: z.string(),
  finish_time: z.string(),
  date_fmt: z.string(),
  hostname: z.string(),
  data_dir: z.string(),
  pg_version: unsigned64,
  start_lsn: unsigned64,
  finish_lsn: unsigned64,
  is_permanent: z.boolean(),
  system_identifier: unsigned64.nullish(),
  uncompressed_size: unsigned64.default(0n),
  compressed_size: unsigned64.default(0n),
  user_data: z.unknown().optional(),
});

/**
 * With `--detail`: what metadata.json adds, or the sentinel where there is none.
 *
 * @throws {@link IntegrityError} when it is damaged
 */
export async function detailedLine(
  repository: Repository,
  sentinel: StoredSentinel,
  options: CallOptions = {},
): Promise<BackupLine> {
  return { ...briefLine(sentinel), ...(await readMetadata(repository, sentinel.name, options)) };
}

async function readMetadata({ store }: Repository, name: string, options: CallOptions): Promise<BackupLine> {
  try {
    return (await readJsonObject(store, metadataKey(name), metadataShape, options)).value;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const sentinel = await readJsonObject(store, sentinelKey(name), sentinelSchema, options);
    return parseJsonObject(formatBackupMetadata(sentinel.value), metadataShape.partial(), sentinelKey(name));
  }
}

/** The columns after the first four of the tables, by field. */
export const detailHeadings: readonly (readonly [string, string])[] = [
  ['start_time', 'Start time'],
  ['finish_time', 'Finish time'],
  ['hostname', 'Hostname'],
  ['data_dir', 'Datadir'],
  ['pg_version', 'PG version'],
  ['start_lsn', 'Start LSN'],
  ['finish_lsn', 'Finish LSN'],
  ['is_permanent', 'Permanent'],
];

/** The text of a field in a table. */
export function cellOf(field: string, value: unknown, isPretty: boolean): string {
  if (/^(time|start_time|finish_time)$/.test(field)) {
    const at = new Date(String(value ?? ''));
    if (Number.isNaN(at.getTime())) return '-';
    return isPretty ? rfc850(at) : at.toISOString().replace(/\.\d+Z$/, 'Z');
  }
  if (typeof value === 'bigint' && field.endsWith('_lsn')) return formatLsn(toLsn(value));
  return String(value ?? '');
}

/** `Friday, 02-Jan-26 03:04:05 UTC` @see Go's package time, RFC850 */
function rfc850(at: Date): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = at.toUTCString().split(/,? /);
  const name = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'].find((each) =>
    each.startsWith(weekday),
  );
  return `${name}, ${day}-${month}-${year.slice(2)} ${time} UTC`;
}

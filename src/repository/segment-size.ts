import { parseWalHeader, walHeaderSizeBytes } from '../postgres/wal-header.ts';
import { defaultSegmentSizeBytes, formatSegmentName, segmentBeforeLsn, segmentOfLsn } from '../postgres/wal-name.ts';
import type { CallOptions } from '../storage/object-store.ts';
import type { BackupRecord } from './backup-catalogue.ts';
import type { Repository } from './repository.ts';
import { type ArchivedWal, listSegments, readWal } from './wal-archive.ts';

/** What tells the size of segments: a backup's name and its start. */
export type SizedBackup = Pick<BackupRecord, 'startSegment' | 'timeline' | 'startLsn'>;

const mebibyte = 1024 * 1024;
const segmentSizes: readonly number[] = Array.from({ length: 11 }, (_, power) => mebibyte * 2 ** power);

/**
 * The size of this repository's segments (`wal_segment_size`): what the backups' names say, and where they leave it open, what the
 * first segment says of itself. A repository that says nothing has PostgreSQL's default.
 *
 * @throws {@link IntegrityError} when the segment that decides is damaged
 */
export async function findSegmentSize(
  repository: Repository,
  backups: readonly SizedBackup[],
  options: CallOptions = {},
): Promise<number> {
  const sizes = sizesThatFit(backups);
  if (sizes.length === 1 && sizes[0] !== undefined) return sizes[0];
  for await (const segment of listSegments(repository, options)) {
    return await readSegmentSize(repository, segment, options);
  }
  return sizes.includes(defaultSegmentSizeBytes) ? defaultSegmentSizeBytes : (sizes[0] ?? defaultSegmentSizeBytes);
}

/**
 * The segment sizes with which every backup's start lies in the segment of its name. A backup of a standby is named after the
 * segment of the byte before. Backups near the start of a log, where all sizes give one name, leave several.
 */
export function sizesThatFit(backups: readonly SizedBackup[]): number[] {
  return segmentSizes.filter((sizeBytes) =>
    backups.every(({ startSegment, timeline, startLsn }) =>
      [segmentOfLsn, segmentBeforeLsn].some(
        (segmentOf) => formatSegmentName(segmentOf(timeline, startLsn, sizeBytes), sizeBytes) === startSegment,
      ),
    ),
  );
}

async function readSegmentSize(repository: Repository, segment: ArchivedWal, options: CallOptions): Promise<number> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of readWal(repository, segment, options)) {
    chunks.push(chunk);
    sizeBytes += chunk.byteLength;
    if (sizeBytes >= walHeaderSizeBytes) break;
  }
  return parseWalHeader(Buffer.concat(chunks), segment.fileName).segmentSizeBytes;
}

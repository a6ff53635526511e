import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { IntegrityError, isAbortError } from '../errors.ts';
import { fileError } from '../util/file-error.ts';
import { type Lsn, toLsn } from './lsn.ts';

/** What a cluster was last doing. @see postgres src/include/catalog/pg_control.h, DBState */
export type ClusterState = (typeof clusterStates)[number] | 'unknown';

/** The settings that a standby may not have lower than the server that wrote the WAL. @see "Hot Standby", section "Administrator's Overview" */
export type HotStandbyLimit =
  | 'max_connections'
  | 'max_worker_processes'
  | 'max_wal_senders'
  | 'max_prepared_transactions'
  | 'max_locks_per_transaction';

/** The parts of `global/pg_control` that matter to an archive. */
export interface ControlFile {
  readonly systemIdentifier: bigint;
  /** PG_CONTROL_VERSION: 1300 for PostgreSQL 13 to 16, 1700, 1800. */
  readonly controlVersion: number;
  readonly catalogVersion: number;
  readonly state: ClusterState;
  /** When the file was last written, to the second. */
  readonly modifiedAt: Date;
  readonly checkpointLsn: Lsn;
  /** Where recovery from that checkpoint begins. */
  readonly redoLsn: Lsn;
  readonly timeline: number;
  readonly segmentSizeBytes: number;
  readonly blockSizeBytes: number;
  readonly hasDataChecksums: boolean;
  /** As they were on the primary when the file was last written. */
  readonly hotStandbyLimits: Readonly<Record<HotStandbyLimit, number>>;
}

const clusterStates = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
] as const;

const fileSizeBytes = 8192;

/** Where the CRC-32C of everything before it lies, by control version; the fields read here lie alike in all of them. */
const checksumOffsets: ReadonlyMap<number, number> = new Map([
  [1300, 288],
  [1700, 288],
  [1800, 292],
]);

/**
 * Parses the 8192 bytes of `global/pg_control`, written by PostgreSQL 13 to 18 on a little-endian machine.
 *
 * @throws {@link IntegrityError} when it is cut short, of another PostgreSQL, or its checksum does not fit
 * @see postgres src/include/catalog/pg_control.h, ControlFileData
 */
export function parseControlFile(bytes: Uint8Array): ControlFile {
  if (bytes.byteLength < fileSizeBytes) {
    throw new IntegrityError(`pg_control is cut short: ${bytes.byteLength} of ${fileSizeBytes} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const u64 = (offset: number): bigint => view.getBigUint64(offset, true);

  const controlVersion = u32(8);
  const checksumOffset = checksumOffsets.get(controlVersion);
  if (checksumOffset === undefined) {
    throw new IntegrityError(`pg_control has the unknown version ${controlVersion}`, {
      hint: 'This version of Seawall knows PostgreSQL 13 to 18: update Seawall if the cluster is newer.',
    });
  }
  if (crc32c(bytes.subarray(0, checksumOffset)) !== u32(checksumOffset)) {
    throw new IntegrityError('pg_control is damaged: its checksum does not fit its content');
  }
  return {
    systemIdentifier: u64(0),
    controlVersion,
    catalogVersion: u32(12),
    state: clusterStates[u32(16)] ?? 'unknown',
    modifiedAt: new Date(Number(view.getBigInt64(24, true)) * 1000),
    checkpointLsn: toLsn(u64(32)),
    redoLsn: toLsn(u64(40)),
    timeline: u32(48),
    segmentSizeBytes: u32(228),
    blockSizeBytes: u32(216),
    hasDataChecksums: u32(252) !== 0,
    hotStandbyLimits: {
      max_connections: u32(180),
      max_worker_processes: u32(184),
      max_wal_senders: u32(188),
      max_prepared_transactions: u32(192),
      max_locks_per_transaction: u32(196),
    },
  };
}

/** A running server rewrites the file in place, so a reader may see half of it; pg_controldata reads it up to ten times, too. */
const attempts = 10;
const retryDelayMs = 10;

/**
 * Reads and parses `global/pg_control` of a data directory, also of a running server.
 *
 * @throws {@link LocalFileError} or {@link PermissionError} when it cannot be read
 * @throws {@link IntegrityError} as {@link parseControlFile}, when reading it again does not help
 */
export async function readControlFile(dataDirectory: string, signal?: AbortSignal): Promise<ControlFile> {
  return parseControlFile(await readControlFileBytes(dataDirectory, signal));
}

/** The bytes of `global/pg_control`, which {@link parseControlFile} accepts. Throws as {@link readControlFile}. */
export async function readControlFileBytes(dataDirectory: string, signal?: AbortSignal): Promise<Uint8Array> {
  const path = join(dataDirectory, 'global', 'pg_control');
  for (let attempt = 1; ; attempt += 1) {
    const bytes = await readBytes(path, signal);
    try {
      parseControlFile(bytes);
      return bytes;
    } catch (error) {
      if (attempt === attempts) throw error;
    }
    await delay(retryDelayMs, undefined, { signal });
  }
}

async function readBytes(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    return await readFile(path, { signal });
  } catch (error) {
    if (isAbortError(error)) throw error;
    throw fileError(`cannot read ${path}`, path, error);
  }
}

/** CRC-32C of a few hundred bytes, bit by bit: every wal-push needs it, and loading a library takes a hundred times as long. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

import type { Context } from '../context.ts';
import { startBackup, stopBackup } from '../postgres/backup-functions.ts';
import { connectPostgres, type PostgresConnection } from '../postgres/connection.ts';
import type { Environment } from '../postgres/connection-parameters.ts';
import type { FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import { type Lsn, parseLsn } from '../postgres/lsn.ts';
import { readServerFacts } from '../postgres/server-facts.ts';
import {
  formatSegmentName,
  type SegmentPosition,
  segmentBeforeLsn,
  segmentOfLsn,
  segmentStartLsn,
} from '../postgres/wal-name.ts';
import { fullBackupName } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { Sentinel } from '../repository/sentinel.ts';
import { checkServer, checkStart, findLocalCluster } from './check-server.ts';
import { type BackupProgress, copyCluster } from './copy-cluster.ts';
import { nameRelations } from './name-relations.ts';
import { type DamagedFile, reportDamage } from './report-damage.ts';
import { storeDescription, storeLabel } from './store-description.ts';
import { beginObjects } from './stored-objects.ts';
import { waitForWal } from './wait-for-wal.ts';

export interface PushBackupOptions {
  /** libpq's variables: how to reach the server. */
  readonly environment: Environment;
  /** Must be the server's own, on this machine; the default is what the server says. */
  readonly dataDirectory?: string | undefined;
  /** Parts that are written side by side. */
  readonly jobs: number;
  /** A part is closed when its files exceed this. */
  readonly partSizeBytes: number;
  readonly manifestChecksum: FileChecksumAlgorithm;
  /** How long to wait for WAL while none arrives. */
  readonly walDeadlineMs: number;
  /** Goes into the backup label. */
  readonly label?: string | undefined;
  /** Whether a damaged page fails the backup, instead of being reported. */
  readonly strict?: boolean | undefined;
  /** Whether retention must leave the backup alone. */
  readonly isPermanent?: boolean | undefined;
  /** Any JSON, kept with the backup. */
  readonly userData?: unknown;
  /** Whether files_metadata.json is left out: WAL-G takes no delta upon such a backup. */
  readonly withoutFilesMetadata?: boolean | undefined;
  /** Whether the relations' names are left out of it: WAL-G restores no single database from such a backup. */
  readonly withoutRelationNames?: boolean | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** A backup that is complete: its sentinel is stored. */
export interface PushedBackup extends Sentinel {
  readonly name: string;
  readonly damagedFiles: readonly DamagedFile[];
}

/**
 * Backs up a running primary, from its own data directory, and returns when the backup and all WAL that it needs are in the
 * repository. When anything fails, or the context's signal is aborted, the server leaves backup mode, what has been stored is
 * removed, and there is no sentinel.
 *
 * @throws {@link PostgresError} when the server cannot be reached, refuses, or goes away
 * @throws {@link BusyError} when the WAL does not arrive
 * @throws {@link IntegrityError} for another cluster's directory, and under `strict` for damaged pages
 * @throws {@link AlreadyExistsError} when there is a backup of that name
 */
export async function pushBackup(
  repository: Repository,
  options: PushBackupOptions,
  context: Context,
): Promise<PushedBackup> {
  const { environment, walDeadlineMs, label = 'seawall' } = options;
  // Disposed of in every case: the server leaves backup mode when the session ends.
  await using connection = await connectPostgres({ environment, applicationName: 'seawall basebackup' }, context);
  const session: Context = { ...context, signal: AbortSignal.any([context.signal, connection.lost]) };
  const server = await readServerFacts(connection);
  const { segmentSizeBytes, majorVersion } = server;
  checkServer(server, repository.store.location);
  const cluster = await findLocalCluster(options.dataDirectory, server, session.signal);

  const lsnBefore = await readInsertLsn(connection);
  const start = await startBackup(connection, { label, fast: true, majorVersion });
  await checkStart(cluster, start, session.signal);
  const first = segmentOfLsn(start.timeline, start.startLsn, segmentSizeBytes);
  const name = fullBackupName(formatSegmentName(first, segmentSizeBytes));
  const objects = await beginObjects(repository, name, session);
  try {
    await proveArchiving(lsnBefore, first);

    const { jobs, partSizeBytes, manifestChecksum, onProgress = () => undefined } = options;
    const { startLsn } = start;
    const copyOptions = { majorVersion, startLsn, jobs, partSizeBytes, manifestChecksum, onProgress };
    const copied = await copyCluster(repository, objects, cluster, copyOptions, session);
    const { withoutFilesMetadata = false, withoutRelationNames = false } = options;
    const isNamed = !withoutFilesMetadata && !withoutRelationNames;
    const databases = isNamed ? await nameRelations(connection, environment, session) : [];
    const stop = await stopBackup(connection, majorVersion);

    copied.checkEnd(stop.stopLsn);
    const damagedFiles = reportDamage(copied, options.strict ?? false, context);
    const { dataDirectory } = cluster;
    const { isPermanent = false, userData } = options;
    const facts = { name, server, dataDirectory, start, stop, copied, databases };
    const backup = { ...facts, manifestChecksum, isPermanent, userData, withoutFilesMetadata };
    await storeLabel(repository, objects, backup, context.signal);
    const last = segmentBeforeLsn(start.timeline, stop.stopLsn, segmentSizeBytes);
    await waitForWal(repository, { first, last, segmentSizeBytes }, walDeadlineMs, context);
    const sentinel = await storeDescription(repository, objects, backup, context.signal);
    return { ...sentinel, name, damagedFiles };
  } catch (error) {
    await objects.removeAll();
    throw error;
  }

  /**
   * The start has finished a segment, unless it came at a segment's very beginning. That it arrives proves, before hours of
   * copying, that the server archives to this repository.
   */
  async function proveArchiving(lsnBefore: Lsn, first: SegmentPosition): Promise<void> {
    const finished = { ...first, segmentNumber: first.segmentNumber - 1n };
    if (lsnBefore >= segmentStartLsn(first, segmentSizeBytes)) return;
    await waitForWal(repository, { first: finished, last: finished, segmentSizeBytes }, walDeadlineMs, session);
  }
}

async function readInsertLsn(connection: PostgresConnection): Promise<Lsn> {
  const sql = 'SELECT pg_current_wal_insert_lsn()::text AS lsn';
  const { lsn } = await connection.queryRow<{ lsn: string }>('cannot read the position in the WAL', sql);
  return parseLsn(lsn);
}

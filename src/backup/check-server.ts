import { realpath } from 'node:fs/promises';
import { ConfigError, IntegrityError, PostgresError, UsageError } from '../errors.ts';
import type { StartedBackup } from '../postgres/backup-functions.ts';
import { type ControlFile, readControlFile } from '../postgres/control-file.ts';
import { formatLsn } from '../postgres/lsn.ts';
import { pageSizeBytes } from '../postgres/page-checksum.ts';
import type { ServerFacts } from '../postgres/server-facts.ts';
import { fileError } from '../util/file-error.ts';

/**
 * Refuses, before anything is begun, a server whose backup could not be made or would never be complete.
 *
 * @param location - the repository, for messages
 * @throws {@link PostgresError} for a standby or a foreign page size
 * @throws {@link ConfigError} when the server does not archive: the WAL that a backup needs would never arrive
 */
export function checkServer(server: ServerFacts, location: string): void {
  if (server.isInRecovery) {
    throw new PostgresError('cannot back up a standby', {
      hint: 'Take the backup at the primary: set PGHOST and PGPORT to it, and run Seawall there.',
    });
  }
  if (server.blockSizeBytes !== pageSizeBytes) {
    throw new PostgresError(
      `the server has pages of ${server.blockSizeBytes} bytes, and only ${pageSizeBytes} is supported`,
    );
  }
  const missing = server.archiveMode === 'off' ? 'archive_mode is off' : 'archive_command is empty';
  if (server.archiveMode === 'off' || server.archiver === '') {
    throw new ConfigError(`${missing} at the server, so the WAL of a backup would never reach ${location}`, {
      hint: `Set archive_mode = on and archive_command = 'seawall wal-push "%p"' in postgresql.conf, and restart the server.`,
    });
  }
}

/** A data directory on this machine that belongs to the server. */
export interface LocalCluster {
  /** Without symbolic links. */
  readonly dataDirectory: string;
  readonly controlFile: ControlFile;
}

/**
 * Finds the server's data directory on this machine.
 *
 * @param given - what the user named; it must be the server's own. Without it the server's word counts.
 * @throws {@link UsageError} when the given directory is not the server's
 * @throws {@link IntegrityError} when the cluster in it is another one
 * @throws {@link LocalFileError} or {@link PermissionError} when it cannot be read
 */
export async function findLocalCluster(
  given: string | undefined,
  server: ServerFacts,
  signal: AbortSignal,
): Promise<LocalCluster> {
  const named = given ?? server.dataDirectory;
  if (named === undefined) {
    throw new UsageError('no data directory given, and the server does not say which is its own', {
      hint: 'Name the data directory, or grant the role pg_read_all_settings.',
    });
  }
  const dataDirectory = await resolve(named);
  if (server.dataDirectory !== undefined) {
    const own = await resolve(server.dataDirectory);
    if (dataDirectory !== own) {
      throw new UsageError(`${dataDirectory} is not the data directory of the server, which is ${own}`, {
        hint: 'Name the right one, or set PGHOST and PGPORT to the server of this directory.',
      });
    }
  }
  const controlFile = await readControlFile(dataDirectory, signal);
  if (controlFile.systemIdentifier !== server.systemIdentifier) throw foreign(dataDirectory);
  return { dataDirectory, controlFile };
}

/**
 * Makes sure, once the backup has begun, that the directory is the one in which this server works: a copy of the cluster, such as
 * a clone or a standby's directory, has the same identifier but has not seen the checkpoint with which the backup began.
 *
 * @throws {@link IntegrityError} when it has not
 */
export async function checkStart(cluster: LocalCluster, start: StartedBackup, signal: AbortSignal): Promise<void> {
  const { redoLsn, timeline } = await readControlFile(cluster.dataDirectory, signal);
  if (redoLsn >= start.startLsn && timeline === start.timeline) return;
  const seen = `its last checkpoint is at ${formatLsn(redoLsn)}, the backup began at ${formatLsn(start.startLsn)}`;
  throw foreign(cluster.dataDirectory, seen);
}

async function resolve(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    throw fileError(`cannot read the data directory ${directory}`, directory, error);
  }
}

function foreign(dataDirectory: string, detail?: string): IntegrityError {
  const message = `${dataDirectory} holds another cluster than the one that the server runs`;
  return new IntegrityError(detail === undefined ? message : `${message}: ${detail}`, {
    hint: 'Run Seawall on the machine of the server, and set PGHOST and PGPORT to it.',
  });
}

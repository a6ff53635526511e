import type { PostgresConnection } from './connection.ts';
import { type Lsn, parseLsn } from './lsn.ts';

export interface StartedBackup {
  /** Recovery of the backup begins here. */
  readonly startLsn: Lsn;
  /** The timeline of the start. */
  readonly timeline: number;
  /** By the server's clock. */
  readonly startedAt: Date;
}

export interface StoppedBackup {
  /** The backup is consistent from here on; WAL up to, but not including, this position belongs to it. */
  readonly stopLsn: Lsn;
  /** By the server's clock. */
  readonly stoppedAt: Date;
  /** Content of the file `backup_label`, byte for byte. */
  readonly label: Uint8Array;
  /** Content of the file `tablespace_map`, byte for byte; empty when the cluster has no tablespaces. */
  readonly tablespaceMap: Uint8Array;
}

export interface StartOptions {
  /** Goes into the backup label. */
  readonly label: string;
  /** Checkpoint at once instead of spreading it over `checkpoint_completion_target`, which takes minutes. */
  readonly fast: boolean;
  /** From the server's facts: the functions have other names before PostgreSQL 15. */
  readonly majorVersion: number;
}

/**
 * Takes the server into backup mode until the same session stops it, or ends. Returns after the checkpoint.
 *
 * @throws {@link PostgresError} when the server refuses, for want of rights for example
 * @see PostgreSQL manual, "Making a Base Backup Using the Low Level API"
 */
export async function startBackup(connection: PostgresConnection, options: StartOptions): Promise<StartedBackup> {
  const start = options.majorVersion >= 15 ? 'pg_backup_start($1, $2)' : 'pg_start_backup($1, $2, false)';
  const what = 'cannot start the backup';
  const { lsn, at } = await connection.queryRow<{ lsn: string; at: Date }>(
    what,
    `SELECT ${start}::text AS lsn, clock_timestamp() AS at`,
    [options.label, options.fast],
  );
  const { timeline } = await connection.queryRow<{ timeline: number }>(
    what,
    'SELECT timeline_id AS timeline FROM pg_control_checkpoint()',
  );
  return { startLsn: parseLsn(lsn), timeline, startedAt: at };
}

/**
 * Ends backup mode. Does not wait for the archiver: whether every segment has arrived is for the repository to say.
 *
 * @throws {@link PostgresError} when this session is not in backup mode, or a standby was promoted meanwhile
 */
export async function stopBackup(connection: PostgresConnection, majorVersion: number): Promise<StoppedBackup> {
  const stop = majorVersion >= 15 ? 'pg_backup_stop(false)' : 'pg_stop_backup(false, false)';
  // Converted to the server's own encoding, they are the bytes that the server would have written into the files.
  const row = await connection.queryRow<{ lsn: string; at: Date; label: Uint8Array; map: Uint8Array }>(
    'cannot stop the backup',
    `SELECT lsn::text, clock_timestamp() AS at,
            convert_to(labelfile, getdatabaseencoding()) AS label,
            convert_to(spcmapfile, getdatabaseencoding()) AS map
     FROM ${stop}`,
  );
  return { stopLsn: parseLsn(row.lsn), stoppedAt: row.at, label: row.label, tablespaceMap: row.map };
}

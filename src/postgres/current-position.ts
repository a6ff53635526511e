import type { PostgresConnection } from './connection.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { readServerFacts } from './server-facts.ts';

/** How far a server has come. */
export interface CurrentPosition {
  readonly timeline: number;
  /** Where it writes next; on a standby what it has received, or replayed, last. */
  readonly lsn: Lsn;
}

/** Asks the server how far it is. @throws {@link PostgresError} */
export async function readCurrentPosition(connection: PostgresConnection): Promise<CurrentPosition> {
  const { timeline } = await readServerFacts(connection);
  const { lsn } = await connection.queryRow<{ lsn: string }>(
    'cannot read the position in the WAL',
    `SELECT (CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                  ELSE pg_current_wal_lsn() END)::text AS lsn`,
  );
  return { timeline, lsn: parseLsn(lsn) };
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Server } from './postgres-server.ts';
import { waitFor } from './wait-for.ts';

/** The only row of a statement: on a client, in its transaction, or on a connection of its own. */
export async function readRow<Row extends object>(
  from: Server | Client,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  const rows =
    from instanceof Client ? (await from.query<Row>(sql, [...values])).rows : await from.query<Row>(sql, values);
  const [row] = rows;
  if (row === undefined) throw new Error(`the server gave no row: ${sql}`);
  return row;
}

/** One value, as text. */
export async function readValue(from: Server | Client, expression: string): Promise<string> {
  return (await readRow<{ value: string }>(from, `SELECT (${expression})::text AS value`)).value;
}

/** The timeline that the server, no longer in recovery, writes. */
export async function readTimeline(server: Server): Promise<number> {
  return Number.parseInt((await readValue(server, 'pg_walfile_name(pg_current_wal_lsn())')).slice(0, 8), 16);
}

/** What pg_stat_archiver says. */
export interface ArchiverState {
  readonly archivedCount: number;
  readonly failedCount: number;
  readonly lastArchivedWal: string | null;
  readonly lastFailedWal: string | null;
  /** Of the archiver process. */
  readonly processId: number | null;
}

export async function readArchiver(server: Server): Promise<ArchiverState> {
  return await readRow(
    server,
    `SELECT archived_count::int AS "archivedCount", failed_count::int AS "failedCount", last_failed_wal AS "lastFailedWal", last_archived_wal AS "lastArchivedWal",
            (SELECT pid FROM pg_stat_activity WHERE backend_type = 'archiver') AS "processId" FROM pg_stat_archiver`,
  );
}

/** The same when the archiver, which counts a file after it has marked it as done, has counted the last of them. */
export async function readSettledArchiver(server: Server): Promise<ArchiverState> {
  const names = readdirSync(join(server.dataDirectory, 'pg_wal', 'archive_status'));
  const done = names.filter((name) => name.endsWith('.done')).map((name) => name.slice(0, -'.done'.length));
  const last = done.toSorted().at(-1);
  return await waitFor('the archiver to have counted', async () => {
    const state = await readArchiver(server);
    return state.lastArchivedWal === last && state;
  });
}

/** Finishes the current segment and waits until nothing is left to archive. */
export async function archiveEverything(server: Server): Promise<void> {
  await server.query('SELECT pg_switch_wal()');
  const waiting = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
  await waitFor('the archiver', async () => (await readValue(server, waiting)) === '0');
}

/** Resolves when the server has ended its recovery and accepts writes. */
export async function waitForPromotion(server: Server): Promise<void> {
  await waitFor('the promotion', async () => (await readValue(server, 'pg_is_in_recovery()')) === 'false');
}

/** Resolves when recovery stands still at its target. */
export async function waitForPause(server: Server): Promise<void> {
  await waitFor(
    'the recovery target',
    async () => (await readValue(server, 'pg_get_wal_replay_pause_state()')) === 'paused',
  );
}

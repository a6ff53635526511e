import type { Client } from 'pg';
import type { Server } from './postgres-server.ts';
import { readRow } from './server-state.ts';

/**
 * The ledger is a table that a load fills batch by batch, one transaction each, inserting, changing and deleting rows. Its whole
 * content follows from the number of batches, so of any state one can tell whether a row is missing, doubled or half done.
 */
export interface LedgerState {
  /** Transactions that can be seen in it. */
  readonly batches: number;
  readonly rows: number;
  /** md5 over all rows, in their order. */
  readonly digest: string;
}

const schema = `
  CREATE TABLE ledger (id int PRIMARY KEY, version int NOT NULL, payload text NOT NULL);
  CREATE FUNCTION payload(id int, version int) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT repeat(md5(id || '/' || version), 20) $$;
  CREATE FUNCTION write_batch() RETURNS int LANGUAGE plpgsql AS $$
    DECLARE batch int;
    BEGIN
      LOCK TABLE ledger IN ROW EXCLUSIVE MODE;
      SELECT coalesce(max(id), 99) / 100 INTO batch FROM ledger;
      INSERT INTO ledger SELECT id, 0, payload(id, 0) FROM generate_series(batch * 100 + 100, batch * 100 + 199) id;
      UPDATE ledger SET version = 1, payload = payload(id, 1) WHERE id / 100 = batch AND id % 2 = 0;
      DELETE FROM ledger WHERE id = batch * 100 - 97;
      RETURN batch + 1;
    END $$;
`;

const describeRows = (rows: string): string =>
  `SELECT coalesce(max(id), 0) / 100 AS batches, count(*)::int AS rows,
          md5(string_agg(id || '/' || version || '/' || payload, ',' ORDER BY id)) AS digest FROM ${rows} AS ledger`;

/** What the table must hold after $1 batches. */
const predictedRows = `(
  SELECT id, version, payload(id, version) AS payload
  FROM generate_series(100, $1 * 100 + 99) id, LATERAL (SELECT (id / 100 < $1 AND id % 2 = 0)::int AS version) AS changed
  WHERE NOT (id % 100 = 3 AND id / 100 < $1 - 1)
)`;

/** Makes the empty table. */
export async function createLedger(server: Server): Promise<void> {
  await server.query(schema);
}

/** Adds batches, one transaction each. */
export async function writeBatches(server: Server, count: number): Promise<void> {
  for (let written = 0; written < count; written += 1) await server.query('SELECT write_batch()');
}

/** What the table holds, all seen at one moment. */
export async function readLedger(from: Server | Client): Promise<LedgerState> {
  return await readRow(from, describeRows('ledger'));
}

/** What the table would hold after so many batches, computed and not read. */
export async function predictLedger(server: Server, batches: number): Promise<LedgerState> {
  return await readRow(server, describeRows(predictedRows), [batches]);
}

/**
 * Runs something while no transaction that writes to the ledger is open: all before have committed, none after has begun to write.
 * What it does commits together with it.
 */
export async function whileLedgerRests<T>(server: Server, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await server.connect();
  try {
    await client.query('BEGIN');
    await client.query('LOCK TABLE ledger IN EXCLUSIVE MODE');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } finally {
    await client.end();
  }
}

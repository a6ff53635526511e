import { setTimeout as delay } from 'node:timers/promises';
import { readLedger } from './ledger.ts';
import type { Server } from './postgres-server.ts';
import { waitFor } from './wait-for.ts';

/** Clients that keep a server busy until they are stopped. */
export interface Load extends AsyncDisposable {
  /** The last batch of the ledger whose commit the server has confirmed. */
  readonly confirmedBatches: number;
  /** Resolves when so many more batches are in the ledger. */
  more(batches: number): Promise<void>;
  /** Ends the load and waits for its last transactions; throws what one of them failed with. */
  stop(): Promise<void>;
  /** Waits for the end of a load whose server has been killed. */
  lost(): Promise<void>;
}

/** A short rest between transactions: some megabytes of WAL a second, and time for everything else on a small machine. */
const pauseMs = 20;

/**
 * One client writes batches into the ledger; another makes, fills, indexes, truncates and drops tables and now and then a database, so
 * that files and whole directories come, grow, shrink and vanish under a backup.
 */
export function startLoad(server: Server): Load {
  let isStopped = false;
  let confirmedBatches = 0;

  const repeat = async (turn: (query: (sql: string) => Promise<unknown>, number: number) => Promise<void>) => {
    const client = await server.connect();
    try {
      for (let number = 1; !isStopped; number += 1) {
        await turn(async (sql) => (await client.query(sql)).rows[0], number);
        await delay(pauseMs);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  const ledger = repeat(async (query) => {
    const row = (await query('SELECT write_batch() AS batch')) as { batch: number };
    confirmedBatches = row.batch;
  });
  const files = repeat(async (query, number) => {
    // A load before this one may have left it.
    await query(`DROP TABLE IF EXISTS passing_${number}`);
    await query(`CREATE TABLE passing_${number} AS SELECT n, md5(n::text) AS text FROM generate_series(1, 2000) n`);
    await query(`CREATE INDEX ON passing_${number} (text)`);
    await query(`TRUNCATE passing_${number}`);
    if (number > 2) await query(`DROP TABLE passing_${number - 2}`);
    if (number % 5 === 0) await query('VACUUM ledger');
    if (number % 10 === 5) await query('DROP DATABASE IF EXISTS passing');
    if (number % 10 === 5) await query('CREATE DATABASE passing');
    if (number % 10 === 9) await query('DROP DATABASE passing');
  });
  const all = Promise.all([ledger, files]);
  // Whoever waits for the end gets the failure; it is no unhandled one until then.
  all.catch(() => undefined);

  const stop = async () => {
    isStopped = true;
    await all;
  };
  return {
    get confirmedBatches() {
      return confirmedBatches;
    },
    async more(batches) {
      const goal = (await readLedger(server)).batches + batches;
      await Promise.race([waitFor('the load', () => confirmedBatches >= goal), all]);
    },
    stop,
    async lost() {
      isStopped = true;
      await all.catch(() => undefined);
    },
    [Symbol.asyncDispose]: stop,
  };
}

import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../support/postgres.ts';
import { makeServerDirectory } from '../support/server-user.ts';

/** Debian's pgBackRest 2.45, the peer that is easiest to have, knows no newer major. */
export const benchMajor = 15;

/** A cluster with a backlog: what every contestant of one run is measured on. */
export interface Backlog extends Disposable {
  /** The stopped cluster before the WAL was written; recovery begins with it. */
  readonly baseDirectory: string;
  /** The stopped cluster after it, with every segment waiting to be archived. */
  readonly fullDirectory: string;
  /** Names of the waiting segments, in order. */
  readonly segments: readonly string[];
}

/** Rows of this size, half of it random digits, compress like the WAL of an ordinary application (a ratio near 3 at zstd 3). */
const insertRows = `
  INSERT INTO ledger (account, amount, note)
  SELECT (random() * 100000)::int, (random() * 1000000)::numeric(12,2), md5(random()::text) || repeat('payment ', 6)
  FROM generate_series(1, 20000)`;
const updateRows = `
  UPDATE ledger SET amount = amount + 1, note = md5(random()::text) || note
  WHERE id IN (SELECT (random() * (SELECT max(id) FROM ledger))::int FROM generate_series(1, 8000))`;

/** Runs a real PostgreSQL with a failing archive_command until so many segments wait. */
export async function makeBacklog(segmentCount: number): Promise<Backlog> {
  const directory = makeServerDirectory('seawall-bench-');
  const baseDirectory = join(directory, 'base');
  const fullDirectory = join(directory, 'full');
  await using server = await startCluster({
    major: benchMajor,
    archiveCommand: 'false',
    settings: { max_wal_size: '8GB', wal_keep_size: '8GB', checkpoint_timeout: '1h', synchronous_commit: 'off' },
  });
  await server.query(
    'CREATE TABLE ledger (id serial PRIMARY KEY, account int, amount numeric(12,2), note text, at timestamptz DEFAULT now())',
  );
  await server.query('CREATE INDEX ON ledger (account)');
  await server.query('SELECT pg_switch_wal()');
  await server.stop('fast');
  cpSync(server.dataDirectory, baseDirectory, { recursive: true, preserveTimestamps: true });
  await server.start();
  while (waiting(server.dataDirectory).length < segmentCount) {
    await server.query(insertRows);
    await server.query(updateRows);
  }
  await server.stop('fast');
  cpSync(server.dataDirectory, fullDirectory, { recursive: true, preserveTimestamps: true });
  return {
    baseDirectory,
    fullDirectory,
    segments: waiting(fullDirectory),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, maxRetries: 20, force: true }),
  };
}

/** The segments that PostgreSQL has marked as ready to be archived, in order. */
export function waiting(dataDirectory: string): string[] {
  return readdirSync(join(dataDirectory, 'pg_wal', 'archive_status'))
    .filter((name) => /^[0-9A-F]{24}\.ready$/.test(name))
    .map((name) => name.slice(0, 24))
    .sort();
}

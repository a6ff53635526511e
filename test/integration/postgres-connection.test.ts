import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext, silentLogger } from '../../src/context.ts';
import { PostgresError, type SeawallError } from '../../src/errors.ts';
import { connectPostgres, type PostgresConnection } from '../../src/postgres/connection.ts';
import { startCluster } from '../support/postgres.ts';
import type { Server } from '../support/postgres-server.ts';
import { giveToServerUser } from '../support/server-user.ts';

const authority = fileURLToPath(new URL('../fixtures/tls/ca.crt', import.meta.url));

let cluster: Server;
let HOME: string;

/** By TCP to localhost unless the environment says otherwise. */
function connect(
  environment: Record<string, string> = {},
  context: Context = createContext(),
): Promise<PostgresConnection> {
  const PGHOST = 'localhost';
  const variables = { ...cluster.clientEnvironment, HOME, PGHOST, ...environment };
  return connectPostgres({ environment: variables, applicationName: 'seawall test' }, context);
}

/** Message and hint of the refusal. */
async function refusal(connecting: Promise<PostgresConnection>): Promise<string> {
  const error = await connecting.then(
    () => expect.unreachable('it connected'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PostgresError);
  const { message, hint } = error as SeawallError;
  return `${message}; ${hint}`;
}

async function usesTls(environment: Record<string, string>): Promise<boolean> {
  await using connection = await connect(environment);
  const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
  return (await connection.queryRow<{ ssl: boolean }>('cannot look', sql)).ssl;
}

beforeAll(async () => {
  cluster = await startCluster({ tcp: true });
  HOME = cluster.makeDirectory('home');
  for (const name of ['server.crt', 'server.key']) {
    const path = join(cluster.dataDirectory, name);
    cpSync(fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)), path);
    giveToServerUser(path);
    chmodSync(path, 0o600);
  }
  await cluster.query("CREATE ROLE scram LOGIN PASSWORD 'pa:ss'");
  await cluster.query("ALTER ROLE scram SET idle_session_timeout = '1h'");
  await cluster.query("ALTER ROLE scram SET DateStyle = 'German'");
  await cluster.query('CREATE ROLE plain LOGIN');
  const admission = join(cluster.dataDirectory, 'pg_hba.conf');
  const others = readFileSync(admission, 'utf8');
  const rules = ['host all scram all scram-sha-256', 'hostssl all plain all reject', 'host all nobody all reject'];
  writeFileSync(admission, `${rules.join('\n')}\n${others}`);
  await cluster.query('ALTER SYSTEM SET ssl = on');
  await cluster.query('SELECT pg_reload_conf()');
});

afterAll(() => cluster.destroy());

describe('connection', () => {
  it('carries a name, has no time limits and looks for nothing in other schemas', async () => {
    await using connection = await connect({ PGUSER: 'scram', PGPASSWORD: 'pa:ss' });
    const settings = await connection.query<{ name: string; setting: string }>(
      'cannot look',
      `SELECT name, setting FROM pg_settings
       WHERE name ~ '^(statement|lock|idle_(in_transaction_)?session|transaction)_timeout$'
          OR name IN ('application_name', 'search_path', 'DateStyle')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      application_name: 'seawall test',
      search_path: 'pg_catalog',
      DateStyle: expect.stringMatching(/^ISO/),
      statement_timeout: '0',
      lock_timeout: '0',
      idle_in_transaction_session_timeout: '0',
      idle_session_timeout: '0',
      transaction_timeout: '0',
    });
  });

  it('hands the warnings of the server on', async () => {
    const lines: string[] = [];
    const write = (level: string) => (fields: object) => lines.push(`${level} ${JSON.stringify(fields)}`);
    const log = { ...silentLogger, debug: write('debug'), warn: write('warn') };
    await using connection = await connect({}, createContext({ log }));
    await connection.query('cannot speak', "DO $$ BEGIN RAISE WARNING 'beware'; RAISE NOTICE 'by the way'; END $$");
    expect(lines).toEqual(['warn {"message":"beware"}', 'debug {"message":"by the way"}']);
  });

  it('goes through the socket when PGHOST is its directory', async () => {
    await using connection = await connect({ PGHOST: cluster.directory });
    const row = await connection.queryRow<{ local: boolean }>(
      'cannot look',
      'SELECT inet_client_addr() IS NULL AS local',
    );
    expect(row.local).toBe(true);
  });

  it('finds its password in PGPASSWORD or in the password file', async () => {
    const passwordFile = join(HOME, '.pgpass');
    writeFileSync(passwordFile, `localhost:${cluster.port}:*:scram:pa\\:ss\n`, { mode: 0o600 });
    await using connection = await connect({ PGUSER: 'scram' });
    const { name } = await connection.queryRow<{ name: string }>('cannot look', 'SELECT current_user AS name');
    expect(name).toBe('scram');
    writeFileSync(passwordFile, '');
    expect(await refusal(connect({ PGUSER: 'scram' }))).toBe(
      `cannot connect to PostgreSQL at localhost:${cluster.port}: it wants a password for scram; ` +
        `Set PGPASSWORD, or put the password into ${passwordFile}.`,
    );
    expect(await refusal(connect({ PGUSER: 'scram', PGPASSWORD: 'wrong' }))).toMatch(
      /password authentication failed for user "scram"; Set PGPASSWORD/,
    );
  });

  it('is encrypted by default, and not when told so', async () => {
    expect(await usesTls({})).toBe(true);
    expect(await usesTls({ PGSSLMODE: 'disable' })).toBe(false);
    expect(await usesTls({ PGSSLMODE: 'allow' })).toBe(false);
    expect(await usesTls({ PGSSLMODE: 'require', PGSSLNEGOTIATION: 'direct' })).toBe(true);
  });

  it('falls back to the other way where pg_hba.conf wants it', async () => {
    expect(await usesTls({ PGUSER: 'plain' })).toBe(false);
    expect(await refusal(connect({ PGUSER: 'plain', PGSSLMODE: 'require' }))).toMatch(
      /pg_hba.conf rejects connection .*; Let pg_hba.conf/,
    );
  });

  it('verifies the certificate and, in full, the name', async () => {
    const verifying = { PGSSLMODE: 'verify-full', PGSSLROOTCERT: authority };
    expect(await usesTls(verifying)).toBe(true);
    expect(await usesTls({ ...verifying, PGHOSTADDR: '127.0.0.1' })).toBe(true);
    expect(await usesTls({ ...verifying, PGHOST: '127.0.0.1', PGSSLMODE: 'verify-ca' })).toBe(true);
    expect(await refusal(connect({ ...verifying, PGHOST: '127.0.0.1' }))).toMatch(/certificate's altnames/);
    expect(await refusal(connect({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'system' }))).toMatch(/certificate/);
  });

  it('says what to do when there is no server, no such database or no admittance', async () => {
    expect(await refusal(connect({ PGHOST: cluster.directory, PGPORT: '1' }))).toMatch(
      /^cannot connect to PostgreSQL at .*\/\.s\.PGSQL\.1: .*ENOENT.*; Set PGHOST and PGPORT/,
    );
    expect(await refusal(connect({ PGPORT: '1' }))).toMatch(/localhost:1: .*ECONNREFUSED.*; Set PGHOST and PGPORT/);
    expect(await refusal(connect({ PGDATABASE: 'absent' }))).toMatch(
      /database "absent" does not exist; Set PGDATABASE/,
    );
    expect(await refusal(connect({ PGUSER: 'nobody' }))).toMatch(/pg_hba.conf rejects .*; Let pg_hba.conf admit/);
  });

  it('gives up on a server that does not answer', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    const PGPORT = String(typeof address === 'object' ? address?.port : undefined);
    expect(await refusal(connect({ PGHOST: '127.0.0.1', PGPORT, PGCONNECT_TIMEOUT: '1' }))).toMatch(/timeout expired/);
    mute.close();
  });

  it('ends at once when the operation is cancelled, also in the middle of a statement', async () => {
    const stop = new AbortController();
    await using connection = await connect({}, createContext({ signal: stop.signal }));
    setTimeout(() => stop.abort(new Error('cancelled')), 100);
    await expect(connection.query('cannot wait', 'SELECT pg_sleep(60)')).rejects.toThrow('cancelled');
    await expect(connect({}, createContext({ signal: stop.signal }))).rejects.toThrow('cancelled');
  });

  it('tells at once that it is lost, with the words of the server', async () => {
    await using connection = await connect();
    const { pid } = await connection.queryRow<{ pid: number }>('cannot look', 'SELECT pg_backend_pid() AS pid');
    const lost = new Promise((resolve) => connection.lost.addEventListener('abort', resolve));
    await cluster.query('SELECT pg_terminate_backend($1)', [pid]);
    await lost;
    await expect(connection.query('cannot go on', 'SELECT 1')).rejects.toThrow(
      'lost the connection to PostgreSQL: terminating connection due to administrator command',
    );
  });

  it('fails the statement that runs when it is lost', async () => {
    await using connection = await connect();
    const { pid } = await connection.queryRow<{ pid: number }>('cannot look', 'SELECT pg_backend_pid() AS pid');
    const waiting = connection.query('cannot wait', 'SELECT pg_sleep(60)');
    setTimeout(() => void cluster.query('SELECT pg_terminate_backend($1)', [pid]), 100);
    await expect(waiting).rejects.toThrow('cannot wait: terminating connection due to administrator command');
  });

  it('reports a failed statement with the words of the server, and stays usable', async () => {
    await using connection = await connect();
    await expect(connection.query('cannot count', 'SELECT * FROM nowhere')).rejects.toThrow(
      'cannot count: relation "nowhere" does not exist',
    );
    await expect(connection.queryRow('cannot count', 'SELECT 1 WHERE false')).rejects.toThrow(
      'cannot count: the server answered without a row',
    );
    expect(connection.lost.aborted).toBe(false);
  });
});

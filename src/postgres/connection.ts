import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { Client, DatabaseError, type QueryResultRow } from 'pg';
import type { Context } from '../context.ts';
import { PostgresError } from '../errors.ts';
import { orAbort } from '../util/abortable.ts';
import { type ConnectionParameters, type Environment, findConnectionParameters } from './connection-parameters.ts';
import { readPassword } from './password-file.ts';
import { postgresFailure } from './postgres-failure.ts';
import { tlsAttempts } from './tls-options.ts';

/** One session of its own at the server, never shared. Disposing of it ends the session, and with it a backup that was begun in it. */
export interface PostgresConnection extends AsyncDisposable {
  /** Aborted, with a {@link PostgresError} as its reason, as soon as the session has broken. */
  readonly lost: AbortSignal;
  /**
   * The rows of one statement; bigint columns come as text.
   *
   * @param what - begins the message of a failure, e.g. `cannot start the backup`
   * @throws {@link PostgresError} with the server's words; the context's abort reason when that comes first
   */
  query<Row extends QueryResultRow>(what: string, sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The one row of a statement that always gives one. Otherwise as {@link query}. */
  queryRow<Row extends QueryResultRow>(what: string, sql: string, values?: readonly unknown[]): Promise<Row>;
}

export interface ConnectOptions {
  /** libpq's variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSERVICE … */
  readonly environment: Environment;
  /** Shown in pg_stat_activity unless PGAPPNAME says otherwise. */
  readonly applicationName: string;
  /** Instead of the one that the environment names. */
  readonly database?: string;
}

/** After so long without traffic the kernel probes the server, then every second: a dead one is noticed within 20 s. */
const keepAliveDelayMs = 10_000;

/** How long to wait for the server to close the session in good order. */
const closeTimeoutMs = 5_000;

/** Nothing may end a session that waits for hours while files are copied; not every major has all of them. */
const limitsToLift = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
];

/**
 * Opens a session at the server that the environment describes, as libpq would.
 *
 * @throws {@link PostgresError} when the server cannot be reached or refuses
 * @throws {@link ConfigError} when the environment is malformed
 */
export async function connectPostgres(options: ConnectOptions, context: Context): Promise<PostgresConnection> {
  const named = await findConnectionParameters(options.environment);
  const parameters = { ...named, database: options.database ?? named.database };
  const { client, socket } = await openClient(parameters, options.applicationName, context);
  const lost = new AbortController();
  client.on('error', (error) => lost.abort(postgresFailure('lost the connection to PostgreSQL', error)));
  client.on('notice', ({ severity, message }) => {
    const report = severity === 'WARNING' ? context.log.warn : context.log.debug;
    report.call(context.log, { message }, 'notice from PostgreSQL');
  });

  const connection: PostgresConnection = {
    lost: lost.signal,
    async query<Row extends QueryResultRow>(what: string, sql: string, values: readonly unknown[] = []) {
      lost.signal.throwIfAborted();
      try {
        return (await orAbort(() => client.query<Row>(sql, [...values]), context.signal)).rows;
      } catch (error) {
        if (error === context.signal.reason) throw error;
        throw postgresFailure(what, error);
      }
    },
    async queryRow<Row extends QueryResultRow>(what: string, sql: string, values: readonly unknown[] = []) {
      const [row] = await connection.query<Row>(what, sql, values);
      if (row === undefined) throw new PostgresError(`${what}: the server answered without a row`);
      return row;
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([client.end(), delay(closeTimeoutMs, undefined, { ref: false })]);
      socket.destroy();
    },
  };
  try {
    await prepareSession(connection);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  return connection;
}

async function prepareSession(connection: PostgresConnection): Promise<void> {
  const what = 'cannot prepare the session at PostgreSQL';
  await connection.query(
    what,
    "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false), pg_catalog.set_config('DateStyle', 'ISO', false)",
  );
  await connection.query(what, "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY ($1)", [
    limitsToLift,
  ]);
}

interface OpenClient {
  readonly client: Client;
  readonly socket: Socket;
}

async function openClient(
  parameters: ConnectionParameters,
  applicationName: string,
  context: Context,
): Promise<OpenClient> {
  let failure: unknown;
  for (const ssl of await tlsAttempts(parameters)) {
    const socket = new Socket();
    const client = createClient(parameters, { ssl, socket, applicationName, context });
    try {
      await orAbort(() => client.connect(), context.signal);
      return { client, socket };
    } catch (error) {
      // The driver reports the end of the socket once more, when nobody waits for it any longer.
      client.on('error', () => undefined);
      socket.destroy();
      if (error === context.signal.reason) throw error;
      failure = error;
      if (!dependsOnTls(error)) break;
    }
  }
  throw postgresFailure(`cannot connect to PostgreSQL at ${placeOf(parameters)}`, failure);
}

interface ClientParts {
  readonly ssl: ConnectionOptions | false;
  readonly socket: Socket;
  readonly applicationName: string;
  readonly context: Context;
}

function createClient(parameters: ConnectionParameters, parts: ClientParts): Client {
  const { host, port, user, database, options, tls } = parameters;
  return new Client({
    host: parameters.hostAddress ?? host,
    port,
    user,
    database,
    // A function, so that the driver asks it only when the server wants a password, and never looks into a file by itself.
    password: async () => {
      const password =
        parameters.password ?? (await readPassword(parameters.passwordFile, parameters, parts.context.log));
      if (password !== undefined) return password;
      throw new PostgresError(
        `cannot connect to PostgreSQL at ${placeOf(parameters)}: it wants a password for ${user}`,
        {
          hint: `Set PGPASSWORD, or put the password into ${parameters.passwordFile}.`,
        },
      );
    },
    ssl: parts.ssl,
    sslnegotiation: parts.ssl === false ? 'postgres' : tls.negotiation,
    enableChannelBinding: true,
    stream: () => parts.socket,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
    connectionTimeoutMillis: parameters.connectTimeoutMs,
    application_name: parameters.applicationName ?? parts.applicationName,
    ...(options === undefined ? {} : { options }),
  });
}

/** Whether the server may answer otherwise with, or without, TLS: it has none, or pg_hba.conf tells the two apart. */
function dependsOnTls(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === '28000';
  return error instanceof Error && error.message === 'The server does not support SSL connections';
}

function placeOf({ host, port }: ConnectionParameters): string {
  return host.startsWith('/') ? join(host, `.s.PGSQL.${port}`) : `${host}:${port}`;
}

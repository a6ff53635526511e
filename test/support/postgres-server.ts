import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { type PostgresMajor, postgresBinaries } from './postgres-binaries.ts';
import { removeTree } from './remove-tree.ts';
import { asServerUser, giveToServerUser, makeServerDirectory } from './server-user.ts';
import { waitFor } from './wait-for.ts';

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** smart waits for the clients, fast ends them, immediate leaves a cluster that must recover. */
export type StopMode = 'smart' | 'fast' | 'immediate';

export interface ServerOptions {
  readonly major: PostgresMajor;
  readonly dataDirectory: string;
  /** The server's own temporary directory (see {@link Server.directory}); by default a new one. */
  readonly directory?: string;
  /** Given on the command line, so they win over every file of the cluster. */
  readonly settings?: Settings;
  /** What archive_command and restore_command find in their environment, besides PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Listen on 127.0.0.1 as well, on a free port; otherwise only on a socket of its own directory. */
  readonly tcp?: boolean;
}

/** A PostgreSQL server on a data directory. Its port and socket are its own, whatever the configuration files say. */
export interface Server extends AsyncDisposable {
  readonly major: PostgresMajor;
  readonly dataDirectory: string;
  /** Its own temporary directory, removed with it: the socket, the log, and room for repositories and restored clusters. */
  readonly directory: string;
  readonly port: number;
  /** PGHOST, PGPORT, PGUSER, PGDATABASE and PGDATA of this server, for programs that are to find it. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Process id of the postmaster, while it runs. */
  readonly processId: number | undefined;
  /** Makes an empty directory, mode 0700, that the server's user owns, and returns its path. */
  makeDirectory(name: string): string;
  /** Starts it; resolves when it accepts connections, rejects with its log when it ends instead. */
  start(): Promise<void>;
  /** Stops it and waits for its end; no harm when it is not running. */
  stop(mode?: StopMode): Promise<void>;
  /** Resolves when the server has ended by itself, e.g. after `recovery_target_action = shutdown`. */
  waitForExit(): Promise<void>;
  /** A connected client of its own; the caller ends it. */
  connect(): Promise<Client>;
  /** The rows of one statement, on a connection of its own. */
  query<Row extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Everything that the server and its commands have written to the log. */
  log(): string;
  /** Stops it at once and removes its directory. */
  destroy(): Promise<void>;
}

/** Starts a server on an existing data directory, such as a restored one, and waits until it accepts connections. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = await prepareServer(options);
  try {
    await server.start();
  } catch (error) {
    await server.destroy();
    throw error;
  }
  return server;
}

const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

const runningProcesses = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of runningProcesses) child.kill(stopSignals.immediate);
});

/** A server that is not started yet: for tests in which the start itself is expected to fail. */
export async function prepareServer(options: ServerOptions): Promise<Server> {
  const { major, dataDirectory, tcp = false } = options;
  const directory = options.directory ?? makeServerDirectory('seawall-server-');
  const port = tcp ? await findFreePort() : 5432;
  const ownSettings = { unix_socket_directories: directory, listen_addresses: tcp ? '127.0.0.1' : '', port };
  const commandLine = Object.entries({ ...ownSettings, ...options.settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const logFile = join(directory, 'server.log');
  let postmaster: ChildProcess | undefined;

  const server: Server = {
    major,
    dataDirectory,
    directory,
    port,
    clientEnvironment: {
      PGHOST: directory,
      PGPORT: String(port),
      PGUSER: 'postgres',
      PGDATABASE: 'postgres',
      PGDATA: dataDirectory,
    },
    get processId() {
      return postmaster?.pid;
    },
    makeDirectory(name) {
      const path = join(directory, name);
      mkdirSync(path, { mode: 0o700 });
      giveToServerUser(path);
      return path;
    },
    start() {
      const started = launchServer();
      // Whoever waits for the start gets the failure; it is no unhandled one until then.
      started.catch(() => undefined);
      return started;
    },
    async stop(mode = 'fast') {
      postmaster?.kill(stopSignals[mode]);
      await server.waitForExit();
    },
    async waitForExit() {
      await waitFor('the server to end', () => postmaster === undefined, { intervalMs: 20 });
    },
    async connect() {
      const client = new Client({ host: directory, port, user: 'postgres', database: 'postgres' });
      // A server that a test stops under an idle client must not end the test run.
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    async query<Row extends object>(sql: string, values: readonly unknown[] = []) {
      const client = await server.connect();
      try {
        return (await client.query<Row>(sql, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    log: () => readFileSync(logFile, 'utf8'),
    async destroy() {
      await server.stop('immediate');
      await removeTree(directory);
    },
    [Symbol.asyncDispose]: () => server.destroy(),
  };
  return server;

  async function launchServer(): Promise<void> {
    const launch = asServerUser(postgresBinaries(major).postgres, ['-D', dataDirectory, ...commandLine]);
    const log = openSync(logFile, 'a');
    const child = spawn(launch.command, launch.args, {
      ...launch.options,
      cwd: directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: directory, LANG: 'C', ...options.environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    postmaster = child;
    runningProcesses.add(child);
    let spawnError: Error | undefined;
    child.once('error', (error) => {
      spawnError = error;
    });
    child.once('close', () => {
      runningProcesses.delete(child);
      postmaster = undefined;
    });
    await waitFor('the server to start', () => postmaster === undefined || isReady(dataDirectory, child.pid), {
      intervalMs: 20,
    });
    if (postmaster === undefined) {
      throw new Error(`the server did not start:\n${server.log()}`, { cause: spawnError });
    }
  }
}

/** Whether the postmaster of this process id says in postmaster.pid (first and eighth line) that clients may come. */
function isReady(dataDirectory: string, processId: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === String(processId) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

async function findFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { postgresBinaries } from './postgres-binaries.ts';
import type { Server } from './postgres-server.ts';
import { waitFor } from './wait-for.ts';

/** A server as a container runs it: process 1 of a PID namespace, with its data directory at a path that others have, too. */
export interface ContainedServer extends AsyncDisposable {
  /** The agents at work in there, by their process ids outside. */
  agents(): number[];
  connect(): Promise<Client>;
  log(): string;
}

/** Binds the directories `$1` to `$2` in a mount namespace of its own, then becomes the server's user and the server. */
const container = `
mount --bind "$1" "$2" && shift 2 || exit
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search \\
  --securebits=+no_setuid_fixup -- "$@"`;

/**
 * Starts the server of a cluster, which must be stopped, in a container whose data directory is at the given path.
 *
 * @param path - an existing directory
 */
export async function startContained(
  { dataDirectory, directory, major }: Server,
  path: string,
  environment: Readonly<Record<string, string>>,
): Promise<ContainedServer> {
  const logFile = join(directory, 'contained.log');
  const log = openSync(logFile, 'a');
  const settings = ['-c', `unix_socket_directories=${directory}`, '-c', 'listen_addresses=', '-c', 'port=5432'];
  const command = [postgresBinaries(major).postgres, '-D', path, ...settings];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const process = spawn('unshare', [...namespaces, 'sh', '-c', container, 'sh', dataDirectory, path, ...command], {
    cwd: '/',
    stdio: ['ignore', log, log],
    env: { ...environment, LANG: 'C' },
  });
  closeSync(log);
  const server: ContainedServer = {
    async connect() {
      const client = new Client({ host: directory, port: 5432, user: 'postgres', database: 'postgres' });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    agents: () => agentsBelow(process.pid ?? 0),
    log: () => readFileSync(logFile, 'utf8'),
    [Symbol.asyncDispose]: () => end(process),
  };
  await waitFor('the contained server', () => process.exitCode !== null || isReady(dataDirectory));
  if (process.exitCode !== null) throw new Error(`the server does not start in a container:\n${server.log()}`);
  return server;
}

function isReady(dataDirectory: string): boolean {
  const path = join(dataDirectory, 'postmaster.pid');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines[0] === '1' && lines[7]?.trim() === 'ready';
}

function agentsBelow(ancestor: number): number[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line)?.slice(1) ?? [])
    .map(([id, parent, words = '']) => ({ id: Number(id), parent: Number(parent), words }));
  const isBelow = (id: number): boolean => {
    const parent = processes.find((process) => process.id === id)?.parent;
    return parent !== undefined && (parent === ancestor || isBelow(parent));
  };
  const isAgent = ({ words }: { readonly words: string }) => / agent push/.test(words) && !words.startsWith('/bin/sh');
  return processes.filter((process) => isAgent(process) && isBelow(process.id)).map(({ id }) => id);
}

/** With process 1, all in its namespace end. */
async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  process.kill('SIGKILL');
  await once(process, 'close');
}

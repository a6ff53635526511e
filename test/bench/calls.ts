import { spawnSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startCluster } from '../support/postgres.ts';
import type { Server } from '../support/postgres-server.ts';
import { seawallPath, startSeawall } from '../support/seawall.ts';
import { asServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Compression, measureFloor } from './compression.ts';
import { benchMajor, waiting } from './make-wal.ts';
import { median } from './median.ts';

/** Milliseconds of single calls. */
export interface CallTimes {
  /** `sh -c :`, the least that PostgreSQL pays for any archive_command. */
  readonly shell: number;
  /** `node -e 0`. */
  readonly node: number;
  /** wal-push of a segment that the agent has stored already. */
  readonly hot: number;
  /** wal-push of a new segment without the agent. */
  readonly cold: number;
  /** Compression of that segment alone, in memory. */
  readonly compression: number;
}

const hotCalls = 500;
const coldCalls = 21;

/** Calls a command as PostgreSQL does, by `sh -c`, from a process as small as its archiver: starting one from Node takes longer than the call. */
const callRepeatedly = 'n=0; while [ $n -lt "$2" ]; do sh -c "$1" || exit; n=$((n + 1)); done';

/** Measures calls the way PostgreSQL makes them: in the data directory, through `sh`, as its user. */
export async function measureCalls(compression: Compression): Promise<CallTimes> {
  await using server = await startCluster({ major: benchMajor, archiveCommand: 'false' });
  const repository = server.makeDirectory('repository');
  const segment = await fillSegments(server);
  const { codec, level } = compression;
  const flags = ['--repository', `file://${repository}`, '--compression', codec, '--compression-level', String(level)];
  const environment = { PATH: process.env['PATH'] ?? '', HOME: server.directory, SEAWALL_NODE: process.execPath };
  const push = [seawallPath, 'wal-push', segment, ...flags].join(' ');

  const run = (args: readonly string[]): number => {
    const launch = asServerUser('/bin/sh', args);
    const startedAtMs = performance.now();
    const { status, stderr } = spawnSync(launch.command, launch.args, {
      ...launch.options,
      cwd: server.dataDirectory,
      env: environment,
    });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
    return performance.now() - startedAtMs;
  };
  const mean = (command: string): number => run(['-c', callRepeatedly, 'sh', command, String(hotCalls)]) / hotCalls;
  const single = (command: string, before: () => void = () => undefined): number => {
    const times = Array.from({ length: coldCalls }, () => {
      before();
      return run(['-c', command]);
    });
    return median(times);
  };
  const clear = (): void => rmSync(join(repository, 'wal_005'), { recursive: true, maxRetries: 20, force: true });
  const measureHot = async (): Promise<number> => {
    // What was stored by somebody else is said to each call.
    clear();
    const options = { cwd: server.dataDirectory, env: environment, asServerUser: true };
    const agent = startSeawall(['agent', 'push', ...flags], options);
    // As long as it works on others, the call does not have a core for itself.
    const segments = waiting(server.dataDirectory);
    await waitFor('the agent to have stored all', () => segments.every((name) => isNoted(server.dataDirectory, name)));
    const ms = mean(push);
    agent.process.kill('SIGTERM');
    await agent.finished;
    return ms;
  };

  run(['-c', `${push} --no-agent`]);
  return {
    shell: mean(':'),
    node: single(`${process.execPath} -e 0`),
    hot: await measureHot(),
    cold: single(`${push} --no-agent`, clear),
    compression: await measureCompression(join(server.dataDirectory, segment), compression),
  };
}

/** Writes some WAL that waits to be archived; gives the path of a full segment, from the data directory. */
async function fillSegments(server: Server): Promise<string> {
  await server.query('CREATE TABLE filler AS SELECT n, md5(n::text) AS text FROM generate_series(1, 1200000) AS n');
  await server.query('SELECT pg_switch_wal()');
  const [, second = ''] = await waitFor('segments', () => {
    const segments = waiting(server.dataDirectory);
    return segments.length > 2 ? segments : undefined;
  });
  return join('pg_wal', second);
}

/** Whether the agent has left word that the segment is durable. */
function isNoted(dataDirectory: string, segment: string): boolean {
  const notes = globSync(join('pg_wal', 'pgsql_tmp_seawall', '*', 'push.*', 'pushed', basename(segment)), {
    cwd: dataDirectory,
  });
  return notes.length > 0;
}

async function measureCompression(path: string, compression: Compression): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < coldCalls; turn += 1) times.push(await measureFloor([path], compression));
  return median(times) * 1000;
}

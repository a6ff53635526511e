import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster } from '../support/postgres.ts';
import { seawallPath } from '../support/seawall.ts';
import { asServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';
import { measureFloor } from './floor.ts';
import { benchMajor } from './make-wal.ts';
import { median } from './median.ts';

/** Milliseconds of single calls, the median of many. */
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

const hotCalls = 200;
const coldCalls = 15;

/** Measures calls the way PostgreSQL makes them: in the data directory, through `sh`, as its user. */
export async function measureCalls(level: number): Promise<CallTimes> {
  await using server = await startCluster({ major: benchMajor, settings: { archive_mode: 'on' } });
  const repository = server.makeDirectory('repository');
  const flags = `--repository file://${repository} --compression-level ${level}`;
  await server.query(`ALTER SYSTEM SET archive_command = '${seawallPath} wal-push "%p" ${flags}'`);
  await server.query('SELECT pg_reload_conf()');
  await server.query('CREATE TABLE filler AS SELECT n, md5(n::text) AS text FROM generate_series(1, 1200000) AS n');
  await server.query('SELECT pg_switch_wal()');
  await waitFor('the archiver', async () => {
    const [row] = await server.query<{ waiting: string }>(
      "SELECT count(*) AS waiting FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'",
    );
    return row?.waiting === '0';
  });
  const [row] = await server.query<{ name: string }>('SELECT last_archived_wal AS name FROM pg_stat_archiver');
  const segment = join('pg_wal', row?.name ?? '');
  const environment = { PATH: process.env['PATH'] ?? '', HOME: server.directory, SEAWALL_NODE: process.execPath };
  const call = (command: string): number => {
    const launch = asServerUser('/bin/sh', ['-c', command]);
    const startedAtMs = performance.now();
    const { status, stderr } = spawnSync(launch.command, launch.args, {
      ...launch.options,
      cwd: server.dataDirectory,
      env: environment,
    });
    if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
    return performance.now() - startedAtMs;
  };
  const times = (count: number, command: string, before: () => void = () => undefined): number =>
    median(
      Array.from({ length: count }, () => {
        before();
        return call(command);
      }),
    );

  const cold = `${seawallPath} wal-push ${segment} ${flags} --no-agent`;
  call(cold);
  return {
    shell: times(hotCalls, ':'),
    node: times(coldCalls, `${process.execPath} -e 0`),
    hot: times(hotCalls, `${seawallPath} wal-push ${segment} ${flags}`),
    cold: times(coldCalls, cold, () => rmSync(join(repository, 'wal_005'), { recursive: true, force: true })),
    compression: (await measureFloor([join(server.dataDirectory, segment)], level)) * 1000,
  };
}

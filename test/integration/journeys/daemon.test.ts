import type { ChildProcess } from 'node:child_process';
import { existsSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { agentsOf, runningAgent } from '../../support/agent-processes.ts';
import { askDaemon, checkFrame } from '../../support/daemon-client.ts';
import { type Journey, startJourney } from '../../support/journey.ts';
import { startCommand } from '../../support/run-command.ts';
import { seawallEnvironment, seawallPath } from '../../support/seawall.ts';
import { waitFor } from '../../support/wait-for.ts';

const client = [process.execPath, fileURLToPath(new URL('../../support/daemon-client-command.ts', import.meta.url))];

interface RunningDaemon extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it has logged so far. */
  log(): string;
  /** Tells it to stop, and gives what it has logged. */
  end(): Promise<string>;
}

/** Starts `wal-g daemon` as the server's user, by WAL-G's name and with nothing but WAL-G's variables. */
async function startDaemon(journey: Journey, socket: string, dataDirectory: string): Promise<RunningDaemon> {
  const walg = join(journey.cluster.directory, 'wal-g');
  if (!existsSync(walg)) symlinkSync(seawallPath, walg);
  const daemon = startCommand(walg, ['daemon', socket], {
    asServerUser: true,
    cwd: '/',
    env: {
      ...seawallEnvironment,
      HOME: journey.cluster.directory,
      WALG_FILE_PREFIX: journey.repositoryPath,
      WALG_COMPRESSION_METHOD: 'zstd',
      WALG_DAEMON_WAL_UPLOAD_TIMEOUT: '60s',
      PGDATA: dataDirectory,
    },
  });
  await waitFor('the daemon to listen', async () => {
    const answer = await askDaemon(socket, checkFrame()).catch(() => '');
    return answer === 'O' || daemon.process.exitCode !== null;
  });
  return {
    process: daemon.process,
    log: () => daemon.output.stderr,
    async end() {
      daemon.process.kill('SIGTERM');
      const { exitCode, stderr } = await daemon.finished;
      expect(exitCode, stderr).toBe(0);
      return stderr;
    },
    async [Symbol.asyncDispose]() {
      daemon.process.kill('SIGKILL');
      await daemon.finished;
    },
  };
}

it('a cluster archives and recovers through the daemon, to the last row', async () => {
  await using journey = await startJourney();
  const { cluster } = journey;
  const socket = join(cluster.directory, 'wal-g.sock');
  await cluster.query('create table facts as select n, md5(n::text) as v from generate_series(1, 20000) n');
  const backup = await journey.backUp();

  await using archiving = await startDaemon(journey, socket, cluster.dataDirectory);
  const archiveBy = async (command: string) => {
    await cluster.query(`alter system set archive_command = '${command}'`);
    await cluster.query('select pg_reload_conf()');
  };
  await archiveBy('false');
  for (let round = 0; round < 12; round += 1) {
    await cluster.query('update facts set v = md5(v)');
    await cluster.query('select pg_switch_wal()');
  }
  await archiveBy(`${client.join(' ')} ${socket} wal-push %f`);
  const [expected] = await cluster.query("select count(*)::int, md5(string_agg(v, ',' order by n)) from facts");
  const [row] = await cluster.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
  await waitFor('the last segment to be archived', async () => {
    const [archiver] = await cluster.query<{ last: string }>('select last_archived_wal as last from pg_stat_archiver');
    return (archiver?.last ?? '') >= (row?.name ?? '~');
  });
  await runningAgent(cluster, 'push');
  expect(agentsOf(cluster)).toHaveLength(1);
  archiving.process.kill('SIGUSR1');
  await journey.destroyCluster();
  expect(await archiving.end()).not.toContain('Debugger');
  expect(existsSync(socket)).toBe(false);

  const restored = await journey.restore(backup);
  await using recovering = await startDaemon(journey, socket, restored.dataDirectory);
  const restore_command = `${client.join(' ')} ${socket} wal-fetch %f %p`;
  const server = await journey.serve(restored.dataDirectory, { restore_command });
  await server.start();
  await waitFor('the end of recovery', async () => {
    const [state] = await server.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering');
    return state?.recovering === false;
  });
  expect(await server.query("select count(*)::int, md5(string_agg(v, ',' order by n)) from facts")).toEqual([expected]);
  await runningAgent(server, 'fetch');
  await server.stop();
  await recovering.end();
});

it('recovery through the daemon does not end while the repository is away', async () => {
  await using journey = await startJourney();
  const { cluster } = journey;
  const socket = join(cluster.directory, 'wal-g.sock');
  await cluster.query('create table facts as select 1 as n');
  const backup = await journey.backUp();
  await cluster.query('insert into facts values (2)');
  const [row] = await cluster.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
  await waitFor('the segment to be archived', () =>
    existsSync(join(journey.repositoryPath, `wal_005/${row?.name}.zst`)),
  );
  await journey.destroyCluster();
  const restored = await journey.restore(backup);

  await using daemon = await startDaemon(journey, socket, restored.dataDirectory);
  renameSync(journey.repositoryPath, `${journey.repositoryPath}.away`);
  const restore_command = `${client.join(' ')} ${socket} wal-fetch %f %p`;
  const server = await journey.serve(restored.dataDirectory, { restore_command });
  const starting = server.start();
  let isUp = false;
  starting.then(
    () => {
      isUp = true;
    },
    () => undefined,
  );
  // Once more some seconds after it has said so for the first time.
  await waitFor('two rounds of attempts', () => daemon.log().split('no clear answer').length > 2);
  expect(isUp).toBe(false);
  renameSync(`${journey.repositoryPath}.away`, journey.repositoryPath);
  await starting;
  await waitFor('the end of recovery', async () => {
    const [state] = await server.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering');
    return state?.recovering === false;
  });
  expect(await server.query('select n from facts order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  await server.stop();
  await daemon.end();
});

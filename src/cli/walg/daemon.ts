import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { isDataDirectory } from '../../postgres/data-directory.ts';
import { runDaemon } from '../../wal/daemon/daemon.ts';
import type { SpoolUse } from '../../wal/daemon/serve-requests.ts';
import type { Direction } from '../../wal/spool.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { errorWords } from '../report-error.ts';
import { agentCommandOf, settingsVariable, spoolCallOf } from '../spool-call.ts';

/** The socket behind WAL-G's daemon clients. */
export const daemonCommand: CommandDefinition = {
  name: 'daemon',
  arguments: [{ notation: '<socket>', description: 'path of the Unix socket to listen on' }],
  summary: "serve WAL-G's daemon clients on a Unix socket",
  description:
    "Answers walg-daemon-client, WAL-RUS's daemon-client and the archive module walg_archive: stores and fetches WAL as wal-push and wal-fetch do. Runs as the server's user, with PGDATA (or the working directory) naming the data directory, until it is told to stop by SIGTERM.",
  settings: [],
  examples: ['wal-g daemon /run/postgresql/wal-g.sock'],
  async run(call) {
    const { settings, context, environment } = call;
    const [socketPath = ''] = call.args;
    // WAL-G reopens its logs at this signal; Node would open a port for a debugger.
    process.on('SIGUSR1', () => undefined);
    if (environment['WATCHDOG_USEC'] !== undefined) {
      context.log.warn({}, 'systemd is not told that the daemon is alive: take WatchdogSec out of its unit');
    }
    const dataDirectory = await dataDirectoryOf(call);
    await using repository = await call.openRepository();
    await runDaemon(
      repository,
      {
        socketPath,
        dataDirectory,
        pushDeadlineMs: settings.daemonPushDeadline,
        fetchDeadlineMs: settings.fetchDeadline,
        fetchOnUndecided: settings.fetchOnUndecided,
        jobs: settings.jobs,
        spoolFor: spoolUses(call, dataDirectory),
        describe: errorWords,
      },
      context,
    );
  },
};

/** Each daemon has a spool of its own, with its agents: what decides about its outcomes has been settled when it started. */
function spoolUses(call: CommandCall, dataDirectory: string): (direction: Direction) => SpoolUse | undefined {
  // With flags before the socket, what stands behind it are not all of them.
  const hasAllFlags = !call.flags.includes(call.args[0] ?? '');
  const settings = `daemon ${process.pid} ${Date.now()}`;
  const variables = { [settingsVariable]: settings, PGDATA: dataDirectory };
  const own = { ...call, environment: { ...call.environment, ...variables } };
  return (direction) => {
    if (!hasAllFlags || !existsSync(dataDirectory)) return undefined;
    const spoolCall = spoolCallOf(own, direction, dataDirectory);
    if (spoolCall === undefined) return undefined;
    const command = agentCommandOf(direction, call);
    const agent = { ...command, environment: { ...command.environment, ...variables }, directory: dataDirectory };
    return { call: spoolCall, agent };
  };
}

/** PGDATA need not be there yet: a restore may come first. */
async function dataDirectoryOf({ environment }: CommandCall): Promise<string> {
  if (environment['PGDATA']) return resolve(environment['PGDATA']);
  if (isDataDirectory(await readdir('.'))) return process.cwd();
  throw new ConfigError('no data directory is named', {
    hint: "Name the server's data directory in PGDATA, or start the daemon there.",
  });
}

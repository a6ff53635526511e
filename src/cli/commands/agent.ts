import { readdir, writeFile } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';
import { resolve } from 'node:path';
import { ConfigError, UsageError } from '../../errors.ts';
import { isDataDirectory } from '../../postgres/data-directory.ts';
import { runAgent } from '../../wal/agent/agent.ts';
import type { Direction, SpoolCall } from '../../wal/spool.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { errorWords } from '../report-error.ts';
import { spoolCallOf } from '../spool-call.ts';

const directions: readonly Direction[] = ['push', 'fetch'];

/** A quarter of a processor that a backend wants too; much less, and archiving would fall behind on a busy server. */
const niceness = 5;

/** A store that does not answer is the business of the call that waits; the agent comes back later. */
const retryDeadlineMs = 5_000;

/** The agent behind the spool. wal-push and wal-fetch start it when they need it. */
export const agentCommand: CommandDefinition = {
  name: 'agent',
  arguments: [{ notation: '[direction]', description: 'push: work ahead of wal-push only; fetch: of wal-fetch only' }],
  summary: 'work ahead of wal-push and wal-fetch',
  description:
    'Pushes the segments that wait for archive_command before PostgreSQL asks for them, and fetches those that recovery will ask for. wal-push and wal-fetch start it by themselves; started by hand or by a service manager, it must have their very flags and variables, and the working directory (or PGDATA) must be the data directory. Ends with the run of the server, when the settings change, and after --agent-idle.',
  settings: [
    'compression',
    'compressionLevel',
    'compressionEngine',
    'pushDeadline',
    'fetchDeadline',
    'fetchOnUndecided',
    'agent',
    'agentIdle',
    'prefetchSegments',
    'prefetchSize',
    'jobs',
  ],
  examples: ['cd /var/lib/postgresql/18/main && seawall agent'],
  async run(call) {
    const calls = await spoolCallsOf(call);
    await standBack();
    await using repository = await call.openRepository({
      retryDeadline: Math.min(call.settings.retryDeadline, retryDeadlineMs),
    });
    // A working directory would keep its volume busy when the server has ended.
    process.chdir('/');
    const ends = await Promise.allSettled(
      calls.map(async (spoolCall) => {
        const end = await runAgent(repository, { call: spoolCall, ...agentOptions(call) }, call.context);
        call.context.log.info({ direction: spoolCall.direction, reason: end }, 'the agent ends');
      }),
    );
    const failures = ends.filter((end) => end.status === 'rejected').map((end): unknown => end.reason);
    if (failures.length === ends.length) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
    for (const failure of failures) call.context.log.warn({ err: failure }, 'the agent works in one direction only');
  },
};

async function spoolCallsOf(call: CommandCall): Promise<SpoolCall[]> {
  const [only] = call.args;
  const wanted = directions.filter((direction) => only === undefined || direction === only);
  if (wanted.length === 0) {
    throw new UsageError(`unknown direction ${JSON.stringify(only)}`, {
      hint: 'Say push, fetch, or nothing for both.',
    });
  }
  if (!call.settings.agent) {
    throw new ConfigError('the agent is switched off', { hint: 'Take `agent: off` and --no-agent away.' });
  }
  const dataDirectory = await dataDirectoryOf(call);
  const calls = wanted.map((direction) => spoolCallOf(call, direction, dataDirectory));
  return calls.map((spoolCall) => {
    if (spoolCall !== undefined) return spoolCall;
    throw new ConfigError(`cannot serve the data directory ${dataDirectory}: it is another user's`, {
      hint: 'Start the agent by `seawall agent` as the user that runs PostgreSQL, in the data directory.',
    });
  });
}

async function dataDirectoryOf({ environment }: CommandCall): Promise<string> {
  for (const directory of [process.cwd(), environment['PGDATA']]) {
    if (directory !== undefined && isDataDirectory(await readdir(directory).catch(() => []))) return resolve(directory);
  }
  throw new ConfigError(`${process.cwd()} is not a data directory`, {
    hint: 'Start the agent in the data directory, or name that in PGDATA.',
  });
}

/** The server comes first: it gets the processor before the agent, and when memory runs out, the agent goes before any backend. */
async function standBack(): Promise<void> {
  // A server that is nicer itself may not be overtaken, nor is that allowed.
  if (getPriority() < niceness) setPriority(niceness);
  await writeFile('/proc/self/oom_score_adj', '900').catch(() => undefined);
}

function agentOptions({ settings }: CommandCall) {
  return {
    jobs: settings.jobs,
    pushDeadlineMs: settings.pushDeadline,
    idleMs: settings.agentIdle,
    window: { segments: settings.prefetchSegments, sizeBytes: settings.prefetchSize },
    describe: errorWords,
  };
}

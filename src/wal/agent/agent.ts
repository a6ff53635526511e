import { basename, dirname } from 'node:path';
import type { Context } from '../../context.ts';
import { BusyError, isAbortError } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { watchFolders } from '../../util/watch-folders.ts';
import { type Half, isInPlace, makeHalf, removeHalf, type SpoolCall } from '../spool.ts';
import { listPushed } from '../spool-notes.ts';
import { type Activity, createActivity } from './activity.ts';
import { lockHalf } from './agent-lock.ts';
import { isOwnRecord, recordAgent, withdrawAgent } from './agent-record.ts';
import type { PrefetchWindow } from './plan-prefetch.ts';
import { prefetch } from './prefetch.ts';
import { pushAhead } from './push-ahead.ts';
import { postmasterPidPath, readServerRun } from './server-run.ts';
import { sweepSpool } from './sweep.ts';

export interface AgentOptions {
  /** The half of the spool to serve, and the settings that it is for. */
  readonly call: SpoolCall;
  /** How many files are moved side by side. */
  readonly jobs: number;
  readonly pushDeadlineMs: number;
  /** The agent ends when it has had nothing to do for so long. */
  readonly idleMs: number;
  readonly window: PrefetchWindow;
  /** A failure as PostgreSQL's log is to show it. */
  readonly describe: (error: unknown) => string;
}

/** Why an agent ended. */
export type AgentEnd = 'idle' | 'replaced' | 'told to';

/** How often it looks whether it should go on. The end of the server it sees at once. */
const watchMs = 1_000;

/**
 * Serves one half of the spool: pushes ahead of archive_command, or fetches ahead of restore_command. Ends when the server's run ends,
 * when calls come with other settings (that includes a changed configuration file), when somebody takes the spool away, when there was
 * nothing to do for a while, or when the context is aborted.
 *
 * It may be killed at any instruction: PostgreSQL's next call does the work itself.
 *
 * @throws {@link BusyError} when the half has an agent, or the server's run is over
 * @throws the errors of {@link makeHalf}, and what ended the work of the agent
 */
export async function runAgent(repository: Repository, options: AgentOptions, context: Context): Promise<AgentEnd> {
  const half = await makeHalf(options.call);
  if (half === undefined) {
    throw new BusyError(`no running server has the data directory ${options.call.dataDirectory}`, {
      hint: 'Start the server first; the agent serves one run of it. Right after a change of the configuration file, try again.',
    });
  }
  await using lock = await lockHalf(half);
  if (lock === undefined) throw new BusyError(`another agent serves ${half.path}`);
  await recordAgent(half);
  try {
    await sweepSpool(options.call, half);
    return await work(repository, half, options, context);
  } finally {
    await leaveHalf(half, options.call);
  }
}

/**
 * What is durable stays noted, for the calls to come; everything else goes. When the server has ended, nothing is touched any more: a file
 * that vanishes under pg_rewind makes that fail half-way. The next agent removes it all.
 */
async function leaveHalf(half: Half, call: SpoolCall): Promise<void> {
  if ((await readServerRun(call.dataDirectory)) !== basename(dirname(half.path))) return;
  await withdrawAgent(half);
  const isOfUse = half.direction === 'push' && (await isInPlace(half, call)) && (await listPushed(half)).length > 0;
  if (!isOfUse) await removeHalf(half);
}

async function work(repository: Repository, half: Half, options: AgentOptions, context: Context): Promise<AgentEnd> {
  const activity = createActivity();
  const end = watchForEnd(half, activity, options, context);
  const { jobs, window, describe, pushDeadlineMs } = options;
  const common = { half, dataDirectory: options.call.dataDirectory, jobs, activity };
  const working = { ...context, signal: end.signal };
  try {
    if (half.direction === 'fetch') await prefetch(repository, { ...common, window }, working);
    else await pushAhead(repository, { ...common, deadlineMs: pushDeadlineMs, describe }, working);
  } catch (error) {
    // Whoever takes the spool away makes the work fail before the next look can tell.
    if (!(await isInPlace(half, options.call))) return 'replaced';
    if (!(end.signal.aborted && isAbortError(error))) throw error;
  } finally {
    end.stop();
  }
  return end.reason();
}

interface EndWatch {
  /** Aborted when it is time to end. */
  readonly signal: AbortSignal;
  readonly reason: () => AgentEnd;
  stop(): void;
}

/** Time is counted in looks, not by the clock, which may be set. */
function watchForEnd(half: Half, activity: Activity, { call, idleMs }: AgentOptions, context: Context): EndWatch {
  const over = new AbortController();
  const stopped = new AbortController();
  let reason: AgentEnd = 'told to';
  const watch = async (): Promise<void> => {
    using changes = watchFolders([postmasterPidPath(call.dataDirectory)], context.clock);
    for (let idleLooks = 0; idleLooks * watchMs <= idleMs; ) {
      await changes.next(watchMs, stopped.signal);
      stopped.signal.throwIfAborted();
      idleLooks = activity.wasIdle() ? idleLooks + 1 : 0;
      if ((await isInPlace(half, call)) && (await isOwnRecord(half))) continue;
      reason = 'replaced';
      return over.abort();
    }
    reason = 'idle';
    over.abort();
  };
  watch().catch(() => undefined);
  return {
    signal: AbortSignal.any([context.signal, over.signal]),
    reason: () => reason,
    stop: () => stopped.abort(),
  };
}

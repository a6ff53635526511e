import { lstat, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { systemErrorCode } from '../errors.ts';
import { agentState } from './agent/agent-record.ts';
import type { AgentCommand } from './agent/start-agent.ts';
import { findHalf, type Half, makeHalf, type SpoolCall } from './spool.ts';
import { writeAsked } from './spool-asked.ts';
import { claimantOf, countClaims } from './spool-claims.ts';

export interface FetchWithAgentOptions {
  readonly call: SpoolCall;
  /** A segment. */
  readonly fileName: string;
  /** `%p` of restore_command. */
  readonly destination: string;
  readonly agent: AgentCommand;
  /** Fetches the segment, without any help; throws when there is none. */
  readonly fetch: () => Promise<unknown>;
}

/** Between two looks at the spool: a small part of the time that a segment takes. */
const lookMs = 5;

/** A segment that is in flight for longer is fetched once more: its process seems not to get anywhere. */
const longestFlightMs = 60_000;

/**
 * A call that has waited for the agent stays until so many segments are fetched, or so much time has passed: recovery then finds the
 * next ones there, while a call that starts Node for each segment takes the processor from the agent.
 */
const aheadBeforeLeaving = 4;
const longestStayMs = 1_000;

/**
 * Brings one segment to its destination, with the help of the agent where there is one, and starts one otherwise. Whatever the
 * spool is like, the segment is at its destination when this resolves. That it does not exist is never learnt from the spool.
 *
 * @throws what the fetch throws
 */
export async function fetchWithAgent(options: FetchWithAgentOptions, context: Context): Promise<void> {
  const { call, fileName, destination } = options;
  const half = await findHalf(call);
  if (half !== undefined && (await takeFetched(half, fileName, destination, context))) {
    return await stayWhileAhead(half, context);
  }
  if (half !== undefined) await writeAsked(half, fileName).catch(() => undefined);
  await options.fetch();
  await startAhead(options, context);
}

/** Whether the segment has come from the spool, where it lay or was in flight. */
async function takeFetched(
  half: Half,
  fileName: string,
  destination: string,
  { clock, signal }: Context,
): Promise<boolean> {
  const startedMs = performance.now();
  for (;;) {
    const isInFlight = (await claimantOf(half, fileName)) !== undefined;
    if (await isMoved(join(half.path, 'fetched', fileName), destination)) return true;
    if (!isInFlight || performance.now() - startedMs > longestFlightMs) return false;
    await clock.sleep(lookMs, signal);
  }
}

async function isMoved(from: string, to: string): Promise<boolean> {
  try {
    if (!(await lstat(from)).isFile()) return false;
    await rename(from, to);
    return true;
  } catch {
    return false;
  }
}

async function stayWhileAhead(half: Half, { clock, signal }: Context): Promise<void> {
  // The call has lasted since its process began.
  while (performance.now() < longestStayMs && (await agentState(half)) === 'at work') {
    const fetched = await readdir(join(half.path, 'fetched')).catch(() => []);
    if (fetched.length >= aheadBeforeLeaving || (await countClaims(half)) === 0) return;
    await clock.sleep(lookMs, signal);
  }
}

/** Starts an agent, which begins behind this segment, unless there is one. */
async function startAhead({ call, fileName, agent }: FetchWithAgentOptions, { log }: Context): Promise<void> {
  try {
    const half = await makeHalf(call);
    if (half === undefined || (await agentState(half)) !== 'gone') return;
    await writeAsked(half, fileName);
    await start(agent);
  } catch (error) {
    // An agent that ends takes its half away, maybe just now.
    if (systemErrorCode(error) !== 'ENOENT') log.warn({ err: error }, 'going on without the agent');
  }
}

/** Loaded only now: most calls start no process. */
async function start(agent: AgentCommand): Promise<void> {
  const { startAgent } = await import('./agent/start-agent.ts');
  await startAgent(agent);
}

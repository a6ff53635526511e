import { basename } from 'node:path';
import type { Context } from '../context.ts';
import { systemErrorCode } from '../errors.ts';
import { agentState } from './agent/agent-record.ts';
import { listReady } from './agent/ready-files.ts';
import type { AgentCommand } from './agent/start-agent.ts';
import type { PushResult } from './push.ts';
import { findHalf, type Half, makeHalf, type SpoolCall } from './spool.ts';
import { breakClaim, claim, claimantOf, countClaims, release } from './spool-claims.ts';
import { type KeptWarning, listPushed, notePushed, readPushed, takeFailure } from './spool-notes.ts';

export interface PushWithAgentOptions {
  readonly call: SpoolCall;
  /** `%p` of archive_command. */
  readonly path: string;
  readonly agent: AgentCommand;
  /** Pushes the file, without any help. */
  readonly push: () => Promise<PushResult>;
}

/** Between two looks for one file: a small part of the time that a segment takes. */
const lookMs = 10;

/** Between two looks how far the agent has come, which itself needs the processor. */
const stayLookMs = 50;

/** A file that is in flight for longer is pushed once more: its process seems not to get anywhere. */
const longestFlightMs = 60_000;

/**
 * A call that has waited for the agent stays until so many files are durable, or that part of all that wait, or so much time has passed:
 * PostgreSQL's next calls then find their files done and cost it nothing, while a call that starts Node for each segment takes the
 * processor from the agent. A call that finds its file done takes about an eighth of the time that the agent takes for one.
 */
const aheadBeforeLeaving = 64;
const partBeforeLeaving = 7 / 8;
const longestStayMs = 2_000;

/**
 * Pushes one file, with the help of the agent where there is one: what the agent has done or is doing is not done again. With more
 * files waiting, an agent is started. Whatever the spool is like, the file is durable when this resolves.
 *
 * @throws what the push throws
 */
export async function pushWithAgent(options: PushWithAgentOptions, context: Context): Promise<void> {
  const { call, path } = options;
  const fileName = basename(path);
  const half = await findHalf(call);
  if (half !== undefined) {
    const failure = await takeFailure(half, fileName);
    if (failure !== undefined)
      context.log.warn({ fileName, failure }, 'the agent could not push this file, trying again');
    if (await isDoneByOther(half, path, context)) return await stayWhileAhead(half, call.dataDirectory, context);
  }
  const claimed = await prepareSpool(half, options, context);
  try {
    // The agent has taken the file between the two looks, or is through with it: to push it as well would be for nothing.
    if (half !== undefined && (await isDoneByOther(half, path, context, claimed !== undefined))) return;
    const { modifiedAt } = await options.push();
    if (claimed !== undefined) await notePushed(claimed, fileName, { modifiedAt, warnings: [] }).catch(() => undefined);
  } finally {
    if (claimed !== undefined) await release(claimed, fileName);
  }
}

/** Whether somebody else has made the file durable, which is waited for while it is in flight; says what there is to say about it. */
async function isDoneByOther(half: Half, path: string, context: Context, isClaimed = false): Promise<boolean> {
  const warnings = isClaimed ? await readPushed(half, basename(path), path) : await waitForOther(half, path, context);
  for (const { fields, message } of warnings ?? []) context.log.warn(fields, message);
  return warnings !== undefined;
}

/** Waits while somebody else has the file in flight; what there was to say about it when it is durable, otherwise undefined. */
async function waitForOther(half: Half, path: string, { clock, signal }: Context): Promise<KeptWarning[] | undefined> {
  const fileName = basename(path);
  const startedMs = performance.now();
  for (;;) {
    const isInFlight = (await claimantOf(half, fileName)) !== undefined;
    const note = await readPushed(half, fileName, path);
    if (note !== undefined || !isInFlight) return note;
    if (performance.now() - startedMs > longestFlightMs) {
      await breakClaim(half, fileName);
      return undefined;
    }
    await clock.sleep(lookMs, signal);
  }
}

async function stayWhileAhead(half: Half, dataDirectory: string, { clock, signal }: Context): Promise<void> {
  const { length: waiting } = await listReady(dataDirectory);
  const enough = Math.min(aheadBeforeLeaving, waiting * partBeforeLeaving);
  // The call has lasted since its process began.
  while (performance.now() < longestStayMs && (await agentState(half)) === 'at work') {
    if ((await countClaims(half)) === 0 || (await listPushed(half)).length >= enough) return;
    await clock.sleep(stayLookMs, signal);
  }
}

/** Claims the file, and starts an agent when other files wait, too. The half with the claim, if there is one. */
async function prepareSpool(
  found: Half | undefined,
  { call, path, agent }: PushWithAgentOptions,
  { log }: Context,
): Promise<Half | undefined> {
  const fileName = basename(path);
  try {
    const ready = await listReady(call.dataDirectory);
    const hasBacklog = ready.some((name) => name !== fileName);
    const half = found ?? (hasBacklog ? await makeHalf(call) : undefined);
    if (half === undefined) return undefined;
    const isClaimed = await claim(half, fileName);
    if (hasBacklog && (await agentState(half)) === 'gone') await start(agent);
    return isClaimed ? half : undefined;
  } catch (error) {
    // An agent that ends takes its half away, maybe just now.
    if (systemErrorCode(error) !== 'ENOENT') log.warn({ err: error }, 'going on without the agent');
    return undefined;
  }
}

/** Loaded only now: most calls start no process. */
async function start(agent: AgentCommand): Promise<void> {
  const { startAgent } = await import('./agent/start-agent.ts');
  await startAgent(agent);
}

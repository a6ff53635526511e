import { basename, dirname, join } from 'node:path';
import pLimit from 'p-limit';
import type { Context } from '../../context.ts';
import { BusyError, NotFoundError, UsageError } from '../../errors.ts';
import { parseWalFileName } from '../../postgres/wal-name.ts';
import type { Repository } from '../../repository/repository.ts';
import type { AgentCommand } from '../agent/start-agent.ts';
import { isStandby } from '../cluster.ts';
import { fetchWal } from '../fetch.ts';
import { fetchWithAgent } from '../fetch-with-agent.ts';
import { pushWal } from '../push.ts';
import { pushWithAgent } from '../push-with-agent.ts';
import type { Direction, SpoolCall } from '../spool.ts';
import { judgeFailedFetch, type UndecidedPolicy } from '../undecided.ts';
import type { DaemonAnswer, FetchRequest, PushRequest } from './frames.ts';
import { destinationIn, sourceIn } from './paths.ts';

/** The spool, as the daemon's requests may use it, and how its agent is started. */
export interface SpoolUse {
  readonly call: SpoolCall;
  readonly agent: AgentCommand;
}

export interface ServiceOptions {
  /** Absolute. */
  readonly dataDirectory: string;
  /** A push that takes longer is answered with `E`; the archiver calls again. */
  readonly pushDeadlineMs: number;
  /** How long one attempt at a clear answer to a fetch takes. */
  readonly fetchDeadlineMs: number;
  readonly fetchOnUndecided: UndecidedPolicy;
  /** So many pushes, and as many fetches, are under way at a time: each takes its memory. PostgreSQL asks for one after the other. */
  readonly jobs: number;
  /** Undefined where the spool cannot be used now. */
  readonly spoolFor: (direction: Direction) => SpoolUse | undefined;
  /** The words in which a failure is logged: its message, its causes, its hint. */
  readonly describe: (error: unknown) => string;
}

/** Does what the clients ask for. */
export interface Service {
  push(request: PushRequest): Promise<DaemonAnswer>;
  /** @param waiting - aborted when nobody waits for a clear answer any longer: the client has ended, or the daemon stops */
  fetch(request: FetchRequest, waiting: AbortSignal): Promise<DaemonAnswer>;
}

/** Between two rounds of attempts for a client that is kept waiting. */
const roundPauseMs = 5_000;

/**
 * Serves the requests with the very code of wal-push and wal-fetch, agent included.
 *
 * A client can tell PostgreSQL only success and failure, and a failed restore_command is the end of the archive, at which recovery ends
 * for good. So a fetch without a clear answer is answered `E` only where PostgreSQL may be told so (see {@link judgeFailedFetch}), on a
 * standby for example. Elsewhere the client is kept waiting, and the attempts go on, as long as it does wait.
 */
export function createService(repository: Repository, options: ServiceOptions, context: Context): Service {
  const { dataDirectory, describe } = options;
  const pushes = pLimit(options.jobs);
  const fetches = pLimit(options.jobs);
  const underWay = new Map<string, { readonly stop: AbortController; readonly end: Promise<unknown> }>();

  return {
    async push({ path }) {
      try {
        const source = await sourceIn(dataDirectory, path);
        await pushes(() => pushFrom(source));
        context.log.debug({ fileName: basename(source) }, 'wal file archived');
        return 'O';
      } catch (error) {
        context.log.warn({ path, failure: describe(error) }, 'cannot push');
        return 'E';
      }
    },
    async fetch(request, waiting) {
      try {
        const destination = await destinationIn(dataDirectory, request.destination);
        return await aloneAt(destination, (signal) => fetchTo(destination, request.fileName, signal, waiting));
      } catch (error) {
        context.log.warn({ fileName: request.fileName, failure: describe(error) }, 'cannot fetch');
        return 'E';
      }
    },
  };

  async function pushFrom(path: string): Promise<void> {
    const push = () => pushWal(repository, { path, dataDirectory, deadlineMs: options.pushDeadlineMs }, context);
    const spool = options.spoolFor('push');
    if (spool === undefined) await push();
    else await pushWithAgent({ ...spool, path, push }, context);
  }

  /**
   * Recovery has every segment put at the same path. Whoever asks for the next one has given up the one before, which must not arrive
   * behind it.
   */
  async function aloneAt<T>(destination: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const before = underWay.get(destination);
    before?.stop.abort(new BusyError('given up: the same path was asked for once more'));
    const stop = new AbortController();
    const end = Promise.resolve(before?.end).then(() => run(AbortSignal.any([context.signal, stop.signal])));
    underWay.set(destination, { stop, end: end.catch(() => undefined) });
    try {
      return await end;
    } finally {
      if (underWay.get(destination)?.stop === stop) underWay.delete(destination);
    }
  }

  async function fetchTo(
    destination: string,
    fileName: string,
    signal: AbortSignal,
    waiting: AbortSignal,
  ): Promise<DaemonAnswer> {
    for (;;) {
      try {
        await fetches(() => fetchOnce(destination, fileName, { ...context, signal }));
        context.log.debug({ fileName }, 'wal file fetched');
        return 'O';
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof NotFoundError) return 'N';
        if (error instanceof UsageError) throw error;
        const facts = { policy: options.fetchOnUndecided, isStandby: await isStandby(dataDirectory) };
        if (judgeFailedFetch(error, facts) !== 'undecided' || waiting.aborted) throw error;
        const message = 'no clear answer: trying again as long as the client waits, since a failure would end recovery';
        context.log.warn({ fileName, failure: describe(error) }, message);
        await context.clock.sleep(roundPauseMs, AbortSignal.any([signal, waiting])).catch(() => undefined);
        if (waiting.aborted) throw error;
      }
    }
  }

  /** Only segments for recovery lie in the spool, on the file system of `pg_wal`. */
  async function fetchOnce(destination: string, fileName: string, own: Context): Promise<void> {
    const fetchOptions = { fileName, destination, dataDirectory, deadlineMs: options.fetchDeadlineMs };
    const fetch = () => fetchWal(repository, fetchOptions, own);
    const isForSpool =
      parseWalFileName(fileName)?.kind === 'segment' && dirname(destination) === join(dataDirectory, 'pg_wal');
    const spool = isForSpool ? options.spoolFor('fetch') : undefined;
    if (spool === undefined) await fetch();
    else await fetchWithAgent({ ...spool, fileName, destination, fetch }, own);
  }
}

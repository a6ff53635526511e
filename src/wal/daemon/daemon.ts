import { createServer } from 'node:net';
import type { Context } from '../../context.ts';
import { BusyError } from '../../errors.ts';
import type { Repository } from '../../repository/repository.ts';
import { type Completion, type Connection, createConnection } from './connection.ts';
import { type DaemonRequest, parseRequest } from './frames.ts';
import { createService, type Service, type ServiceOptions } from './serve-requests.ts';
import { listenAt } from './socket-file.ts';

export interface DaemonOptions extends ServiceOptions {
  /** Where to listen. */
  readonly socketPath: string;
}

/** PostgreSQL has one request under way at a time; far more than this many clients are none of PostgreSQL's, and each may cost 64 KiB. */
const mostConnections = 500;

/** How long requests under way may go on after the daemon was told to stop; service managers kill what takes longer than 90 s. */
const stopDeadlineMs = 60_000;

/**
 * Serves WAL-G's daemon protocol on a Unix socket until the context is aborted; then the requests under way are finished first.
 *
 * @throws the errors of {@link listenAt}
 */
export async function runDaemon(repository: Repository, options: DaemonOptions, context: Context): Promise<void> {
  const stop = context.signal;
  const requests = new AbortController();
  const service = createService(repository, options, { ...context, signal: requests.signal });
  const served = new Set<Promise<void>>();
  // A client may close its half when it has sent its request, and still gets its answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const serving = serve(createConnection(socket, context.clock), service, options, context).finally(() => {
      served.delete(serving);
    });
    served.add(serving);
  });
  server.maxConnections = mostConnections;

  stop.throwIfAborted();
  await listenAt(server, options.socketPath);
  // A connection that cannot be accepted, for want of descriptors say, is the client's loss, not the daemon's end.
  server.on('error', (error) => context.log.warn({ err: error }, 'cannot accept a client'));
  context.log.info({ socket: options.socketPath, dataDirectory: options.dataDirectory }, 'the daemon listens');
  await new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));

  server.close();
  const finished = new AbortController();
  context.clock.sleep(stopDeadlineMs, finished.signal).then(
    () => requests.abort(new BusyError('given up: the daemon was told to stop')),
    () => undefined,
  );
  await Promise.all(served);
  finished.abort();
  context.log.info({ socket: options.socketPath }, 'the daemon ends');
}

/** Answers one client's requests, one after the other: checks as many as it likes, and one push or fetch, which is the last. */
async function serve(
  connection: Connection,
  service: Service,
  options: ServiceOptions,
  context: Context,
): Promise<void> {
  const stop = context.signal;
  const waiting = AbortSignal.any([connection.ended, stop]);
  let completion: Completion = 'for who waits';
  for (;;) {
    let request: DaemonRequest;
    try {
      const frame = await connection.next(stop);
      if (frame === undefined) return await connection.finish(undefined, completion);
      request = parseRequest(frame);
    } catch (error) {
      context.log.warn({ failure: options.describe(error) }, 'a client sent what is no request');
      return await connection.finish('E', completion);
    }
    if (request.kind === 'push') return await connection.finish(await service.push(request), completion);
    if (request.kind === 'fetch') return await connection.finish(await service.fetch(request, waiting), completion);
    // Only WAL-G's own clients say something with their check; they take the one character.
    if (request.hasBody) completion = 'never';
    await connection.answer('O', completion);
  }
}

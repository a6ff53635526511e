import type { Socket } from 'node:net';
import type { Clock } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { type DaemonAnswer, type Frame, largestFrameBytes, takeFrame } from './frames.ts';

/** A client sends its request at once; one that does not get on with it is not waited for. */
const halfFrameMs = 10_000;

/** A client of WAL-G's has read its answer to a push or fetch, and gone, within much less. */
const lingerMs = 20;

/** After a check a client may take its time before it asks for more; one that waits for the rest of a frame can wait as long. */
const checkLingerMs = 1_000;

/** WAL-RUS's client expects a whole frame as its answer: behind the character come the two bytes of the length, 3. */
const restOfFrame = Buffer.from([0, 3]);

/** One client of the daemon. */
export interface Connection {
  /** Aborted when the client has said its last: it has gone, or has closed its half of the connection. */
  readonly ended: AbortSignal;
  /**
   * The next request; undefined when there is none, because the client or the daemon ends.
   *
   * @throws {@link UsageError} when what comes is no frame, or not all of one
   */
  next(signal: AbortSignal): Promise<Frame | undefined>;
  /** Answers, and goes on. */
  answer(answer: DaemonAnswer, completion: Completion): Promise<void>;
  /** Answers, and closes the connection as soon as the answer is on its way. */
  finish(answer: DaemonAnswer | undefined, completion: Completion): Promise<void>;
}

/** Whether the rest of a frame follows for a client that goes on waiting behind the character of the answer. */
export type Completion = 'never' | 'for who waits';

export function createConnection(socket: Socket, clock: Clock): Connection {
  const ended = new AbortController();
  let received: Buffer = Buffer.alloc(0);
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length > largestFrameBytes) socket.pause();
    wake();
  });
  const onEnd = (): void => {
    ended.abort();
    wake();
  };
  // An error, such as the broken pipe of a client that has gone, is followed by the close.
  socket.on('error', () => undefined);
  socket.on('end', onEnd);
  socket.on('close', onEnd);

  /** Waits for the next bytes, the client's end, the abort of the signal, or that the time has passed; says whether it has. */
  const change = async (signal: AbortSignal, timeoutMs?: number): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const over = new AbortController();
    wake = () => resolve(false);
    signal.addEventListener('abort', wake, { signal: over.signal });
    if (timeoutMs !== undefined) {
      clock.sleep(timeoutMs, over.signal).then(
        () => resolve(true),
        () => undefined,
      );
    }
    try {
      return await promise;
    } finally {
      over.abort();
    }
  };

  const write = async (answer: DaemonAnswer, completion: Completion, waitMs: number): Promise<void> => {
    if (!socket.writable) return;
    socket.write(answer);
    if (completion === 'never' || received.length > 0 || ended.signal.aborted) return;
    if (await change(ended.signal, waitMs)) socket.write(restOfFrame);
  };

  return {
    ended: ended.signal,
    async next(signal) {
      for (;;) {
        const taken = takeFrame(received);
        if (taken !== undefined) {
          received = taken.rest;
          socket.resume();
          return taken.frame;
        }
        if (ended.signal.aborted || signal.aborted) return undefined;
        // Between two requests a client may take all its time.
        const isTimeout = await change(signal, received.length === 0 ? undefined : halfFrameMs);
        if (isTimeout) throw new UsageError('malformed request: only a part of it has come');
      }
    },
    answer: (answer, completion) => write(answer, completion, checkLingerMs),
    async finish(answer, completion) {
      if (answer !== undefined) await write(answer, completion, lingerMs);
      socket.destroySoon();
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';

/** Where log lines go. A constant message, variable fields; pino satisfies it. Lines go to stderr, never to stdout. */
export interface Logger {
  /** Steps inside an operation. */
  debug(fields: object, message: string): void;
  /** One line per finished operation. */
  info(fields: object, message: string): void;
  /** We went on, but somebody should look. */
  warn(fields: object, message: string): void;
  /** Only the command line uses it, when a command fails. */
  error(fields: object, message: string): void;
}

/** The time, replaceable in tests. */
export interface Clock {
  now(): Date;
  /** Waits; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What every operation needs from its surroundings; handed down, never global. */
export interface Context {
  readonly log: Logger;
  /** Aborted by SIGINT and SIGTERM: stop, clean up, rethrow. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (ms, signal) => {
    try {
      try {
        await delay(ms, undefined, signal === undefined ? {} : { signal });
      } catch (error) {
        // Node rejects with an AbortError of its own.
        signal?.throwIfAborted();
        throw error;
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

/** A logger that says nothing: the library's default. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A context from the parts that differ from the defaults: silent, never aborted, the machine's clock. */
export function createContext(parts: Partial<Context> = {}): Context {
  return {
    log: parts.log ?? silentLogger,
    signal: parts.signal ?? new AbortController().signal,
    clock: parts.clock ?? systemClock,
  };
}

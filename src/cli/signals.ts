/** The signals that end a command after it has cleaned up. */
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One signal to the process group reaches us twice, since the launcher hands on what it gets; later ones are meant as such. */
const repetitionMs = 1_000;

/** Watches for the signals that ask us to stop. */
export interface SignalWatch {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** The first that came, if any. */
  readonly received: NodeJS.Signals | undefined;
  /** Puts the signals' own effect back. */
  stop(): void;
}

/** By this signal a process that hangs ends itself with the status 75, which PostgreSQL may read as the end of the archive. */
export const lastResort = 'SIGUSR2';

/**
 * From now on SIGINT, SIGTERM and SIGHUP abort the signal instead of ending the process; one that comes later ends it at once. From
 * others, {@link lastResort} has no effect.
 */
export function watchSignals(): SignalWatch {
  process.on(lastResort, () => undefined);
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  let receivedAtMs = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    if (received === undefined) {
      received = name;
      receivedAtMs = performance.now();
      controller.abort();
    } else if (performance.now() - receivedAtMs > repetitionMs) {
      stop();
      process.kill(process.pid, name);
    }
  };
  const stop = (): void => {
    for (const name of endingSignals) process.off(name, onSignal);
  };
  for (const name of endingSignals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    stop,
  };
}

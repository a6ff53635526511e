/** The signals that end a command after it has cleaned up. */
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Watches for the signals that ask us to stop. */
export interface SignalWatch {
  /** Aborted by the first of them. */
  readonly signal: AbortSignal;
  /** The first that came, if any. */
  readonly received: NodeJS.Signals | undefined;
  /** Puts the signals' own effect back. */
  stop(): void;
}

/** From now on SIGINT, SIGTERM and SIGHUP abort the signal instead of ending the process; a second one ends it at once. */
export function watchSignals(): SignalWatch {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    received = name;
    stop();
    controller.abort();
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

import type { Clock } from '../context.ts';

/** How long and how often something is tried again. */
export interface RetryPolicy {
  /** The first wait; each further failure doubles it. */
  readonly initialDelayMs: number;
  /** No wait is longer than this. */
  readonly maximumDelayMs: number;
  /**
   * How long to go on trying, from the first failure on: an upload of an hour that breaks at its end is still tried again. No
   * attempt begins later; one that has begun is not cut short, since only the driver can tell a slow transfer from a dead one.
   */
  readonly deadlineMs: number;
}

export interface BackOffOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Whether another attempt may succeed after this error. */
  readonly isTransient: (error: unknown) => boolean;
  /** Hears of each wait before it begins. */
  readonly onWait?: (wait: Wait) => void;
}

interface Wait {
  readonly error: unknown;
  /** How many attempts have failed in a row. */
  readonly failures: number;
  readonly delayMs: number;
}

/** The waits between the attempts at one thing. */
export interface BackOff {
  /**
   * Waits until the next attempt is due. Throws the error itself when it is permanent or the deadline has passed, and the
   * signal's reason when that is aborted first.
   */
  afterFailure(error: unknown): Promise<void>;
  /** The attempt got further than the one before: the next failure is a first one again. */
  progressed(): void;
}

/**
 * Exponential back-off. Each wait is a random part, between half and all, of its nominal length, also once that has reached the
 * maximum, so that many clients that failed together do not return together.
 */
export function createBackOff(policy: RetryPolicy, options: BackOffOptions): BackOff {
  const { clock, signal, isTransient, onWait } = options;
  let failures = 0;
  let deadline = 0;

  return {
    async afterFailure(error) {
      if (!isTransient(error)) throw error;
      const now = clock.now().getTime();
      if (failures === 0) deadline = now + policy.deadlineMs;
      const nominalMs = Math.min(policy.initialDelayMs * 2 ** failures, policy.maximumDelayMs);
      const delayMs = Math.round(nominalMs * (0.5 + Math.random() / 2));
      if (now + delayMs > deadline) throw error;
      failures += 1;
      onWait?.({ error, failures, delayMs });
      await clock.sleep(delayMs, signal);
    },
    progressed() {
      failures = 0;
    },
  };
}

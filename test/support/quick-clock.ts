import { type Clock, systemClock } from '../../src/context.ts';

/** The longest wait between two attempts. */
const longestBackOffMs = 15_000;

/** A clock on which the waits between attempts take no time; deadlines, which are longer, take their own. */
export const quickClock: Clock = {
  now: systemClock.now,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    if (ms > longestBackOffMs) await systemClock.sleep(ms, signal);
  },
};

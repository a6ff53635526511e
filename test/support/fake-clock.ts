import type { Clock } from '../../src/context.ts';

export interface FakeClock extends Clock {
  /** The waits so far, in milliseconds. */
  readonly sleeps: readonly number[];
  advance(ms: number): void;
}

/** A clock that begins at a fixed moment and moves only when somebody sleeps, which takes no time, or advances it. */
export function fakeClock(start: Date = new Date('2026-01-31T12:00:00Z')): FakeClock {
  const sleeps: number[] = [];
  let nowMs = start.getTime();
  return {
    sleeps,
    now: () => new Date(nowMs),
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
      nowMs += ms;
    },
    advance(ms) {
      nowMs += ms;
    },
  };
}

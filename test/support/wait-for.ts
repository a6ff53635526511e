import { setTimeout as delay } from 'node:timers/promises';

/**
 * Twice the minute that PostgreSQL's archiver rests after three failures, that a call waits for another's claim, and that an agent
 * stays with nothing to do: whoever waits for something behind one of them still gets it.
 */
const patienceMs = 120_000;

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/** Asks again and again until the answer is neither undefined, null nor false, and returns it; names what it waited for when it gives up. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = patienceMs, intervalMs = 50 }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    // Who has been stalled for all of the time looks once more.
    const isOver = Date.now() > deadline;
    const answer = await condition();
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false>;
    }
    if (isOver) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(intervalMs);
  }
}

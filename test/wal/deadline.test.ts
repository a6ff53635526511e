import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type Clock, createContext } from '../../src/context.ts';
import { BusyError } from '../../src/errors.ts';
import { withDeadline } from '../../src/wal/deadline.ts';

/** A clock that moves only when it is told to. */
function manualClock() {
  let nowMs = 0;
  let sleepers: { atMs: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(nowMs),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push({ atMs: nowMs + ms, wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const advance = (ms: number): void => {
    nowMs += ms;
    for (const sleeper of sleepers.filter(({ atMs }) => atMs <= nowMs)) sleeper.wake();
    sleepers = sleepers.filter(({ atMs }) => atMs > nowMs);
  };
  return { clock, advance };
}

const operation = 'wal-push of x';
const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<never>(() => undefined);

/** An operation that ends when it is told to, and says so. */
function obedient(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

describe('withDeadline', () => {
  it('gives what the operation gives', async () => {
    expect(await withDeadline({ deadlineMs: 1000, operation }, createContext(), async () => 5)).toBe(5);
    expect(await withDeadline({ deadlineMs: undefined, operation }, createContext(), async () => 5)).toBe(5);
    const failure = new Error('no');
    await expect(
      withDeadline({ deadlineMs: 1000, operation }, createContext(), () => Promise.reject(failure)),
    ).rejects.toBe(failure);
  });

  it('aborts the operation when the time is up, and names what it struggled with', async () => {
    const { clock, advance } = manualClock();
    const cause = new Error('reset');
    const deadline = { deadlineMs: 300_000, operation, lastError: () => cause };
    const result = withDeadline(deadline, createContext({ clock }), obedient);
    result.catch(() => undefined);
    advance(300_000);
    await expect(result).rejects.toThrow(BusyError);
    await expect(result).rejects.toMatchObject({
      message: expect.stringContaining('wal-push of x did not finish within 5 min'),
      cause,
    });
  });

  it('waits for the operation to clean up, but not for ever', async () => {
    const { clock, advance } = manualClock();
    let hasEnded = false;
    const result = withDeadline({ deadlineMs: 1000, operation }, createContext({ clock }), never);
    result.catch(() => {
      hasEnded = true;
    });
    advance(1000);
    await turn();
    advance(4_999);
    await turn();
    expect(hasEnded).toBe(false);
    advance(1);
    await expect(result).rejects.toThrow(BusyError);
  });

  it('lets an operation that succeeds after all succeed', async () => {
    const { clock, advance } = manualClock();
    const { promise, resolve } = Promise.withResolvers<string>();
    const result = withDeadline({ deadlineMs: 1000, operation }, createContext({ clock }), () => promise);
    advance(1000);
    await turn();
    resolve('stored');
    expect(await result).toBe('stored');
  });

  it('passes an abort of the context on', async () => {
    const controller = new AbortController();
    const context = createContext({ signal: controller.signal });
    const result = withDeadline({ deadlineMs: 1000, operation }, context, obedient);
    result.catch(() => undefined);
    controller.abort();
    await expect(result).rejects.toBe(controller.signal.reason);
    await expect(withDeadline({ deadlineMs: 1000, operation }, context, never)).rejects.toThrow(/aborted/);
  });

  it('leaves nothing behind at the signal of a process that lives for months', async () => {
    let seen: AbortSignal | undefined;
    await withDeadline({ deadlineMs: 1000, operation }, createContext(), async (signal) => {
      seen = signal;
      expect(getEventListeners(signal, 'abort')).not.toEqual([]);
    });
    expect(seen && getEventListeners(seen, 'abort')).toEqual([]);
  });
});

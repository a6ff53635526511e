import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackOff } from '../../src/util/back-off.ts';
import { fakeClock } from '../support/fake-clock.ts';

const failure = new Error('failed');

describe('a back-off', () => {
  it('never waits past its deadline, whatever the policy', async () => {
    const durations = fc.record({
      initialDelayMs: fc.integer({ min: 1, max: 1000 }),
      maximumDelayMs: fc.integer({ min: 1, max: 10_000 }),
      deadlineMs: fc.integer({ min: 0, max: 100_000 }),
    });
    await fc.assert(
      fc.asyncProperty(durations, async (policy) => {
        const clock = fakeClock();
        const start = clock.now().getTime();
        const waits = createBackOff(policy, { clock, isTransient: () => true });
        const fail = async () => {
          for (;;) await waits.afterFailure(failure);
        };
        await expect(fail()).rejects.toBe(failure);
        expect(clock.now().getTime() - start).toBeLessThanOrEqual(policy.deadlineMs);
      }),
      { numRuns: 50 },
    );
  });

  it('tells of each wait before it begins', async () => {
    const clock = fakeClock();
    const told: unknown[] = [];
    const policy = { initialDelayMs: 100, maximumDelayMs: 1000, deadlineMs: 10_000 };
    const waits = createBackOff(policy, {
      clock,
      isTransient: () => true,
      onWait: ({ failures }) => told.push([failures, clock.sleeps.length]),
    });
    await waits.afterFailure(failure);
    await waits.afterFailure(failure);
    waits.progressed();
    await waits.afterFailure(failure);
    expect(told).toEqual([
      [1, 0],
      [2, 1],
      [1, 2],
    ]);
  });
});

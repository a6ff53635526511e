import { describe, expect, it } from 'vitest';
import { comparableTime } from '../../src/backup/comparable-time.ts';

const openedMs = Date.parse('2026-11-21T07:07:34.022Z');
const openedNs = BigInt(openedMs) * 1_000_000n;

describe('the time by which a delta recognises a file', () => {
  it.each([
    ['an hour', 3_600_000_000_000n],
    ['21 ms', 21_000_000n],
  ])('is its own when it was last written to %s before', (_, ageNs) => {
    expect(comparableTime(openedNs - ageNs, openedMs)).toBe(openedNs - ageNs);
  });

  it.each([
    ['just now', 0n],
    ['within the tick of a slow clock', 19_000_000n],
    ['in the future, by a clock that has jumped', -3_600_000_000_000n],
  ])('is no file’s when it was written to %s', (_, ageNs) => {
    expect(comparableTime(openedNs - ageNs, openedMs)).toBe(openedNs - ageNs - 1n);
  });

  it('is no file’s for two seconds where the file system keeps whole seconds', () => {
    const second = BigInt(Date.parse('2026-11-21T07:07:33Z')) * 1_000_000n;
    expect(comparableTime(second, openedMs)).toBe(second - 1n);
    expect(comparableTime(second - 1_000_000_000n, openedMs)).toBe(second - 1_000_000_000n);
  });
});

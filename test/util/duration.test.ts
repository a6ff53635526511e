import { describe, expect, it } from 'vitest';
import { formatDuration, parseDurationMs } from '../../src/util/duration.ts';

describe('duration', () => {
  it.each([
    ['500ms', 500],
    ['30', 30_000],
    ['30s', 30_000],
    ['5min', 300_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2 d', 172_800_000],
    ['1m0s', 60_000],
    ['1h30m', 5_400_000],
    ['4 min 10 s', 250_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(['', 'soon', '-5s', '5 weeks', 's', '5m30', '1s5', 'x1s', '1s,2s'])('refuses %j', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [12_345, '12.3 s'],
    [250_000, '4 min 10 s'],
    [300_000, '5 min'],
    [7_200_000, '2 h'],
    [7_500_000, '2 h 5 min'],
  ])('formats %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

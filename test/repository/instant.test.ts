import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDate, formatInstant } from '../../src/repository/instant.ts';

describe('an instant', () => {
  it.each([
    [0n, '1970-01-01T00:00:00Z'],
    [1_795_244_854_022_060_827n, '2026-11-21T07:07:34.022060827Z'],
    [1_795_244_854_500_000_000n, '2026-11-21T07:07:34.5Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
  ])('%s ns is written with all its digits', (modifiedNs, text) => {
    expect(formatInstant(modifiedNs)).toBe(text);
  });

  it('of a Date has its milliseconds, without trailing zeros', () => {
    expect(formatDate(new Date('2026-11-21T07:07:34.350Z'))).toBe('2026-11-21T07:07:34.35Z');
    expect(formatDate(new Date('1969-12-31T23:59:59.999Z'))).toBe('1969-12-31T23:59:59.999Z');
    expect(formatDate(undefined)).toBeUndefined();
  });

  it('keeps every nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_102_444_800_000_000_000n }), (modifiedNs) => {
        const text = formatInstant(modifiedNs);
        const [seconds = '', fraction = ''] = text.slice(0, -1).split('.');
        const back = BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
        expect(back).toBe(modifiedNs);
      }),
    );
  });
});

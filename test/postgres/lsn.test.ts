import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { formatLsn, parseLsn, toLsn } from '../../src/postgres/lsn.ts';

const lsns = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(toLsn);

describe('LSN', () => {
  it('is written as PostgreSQL writes it, two hexadecimal halves without padding', () => {
    expect(formatLsn(toLsn(0n))).toBe('0/0');
    expect(formatLsn(toLsn(0x1a_7f00_0028n))).toBe('1A/7F000028');
    expect(formatLsn(toLsn(0xffff_ffff_ffff_ffffn))).toBe('FFFFFFFF/FFFFFFFF');
  });

  it('survives the way through text and back', () => {
    fc.assert(
      fc.property(lsns, (lsn) => {
        expect(parseLsn(formatLsn(lsn))).toBe(lsn);
      }),
    );
  });

  it('is read with a zero-padded low half, in lower case and between spaces', () => {
    expect(parseLsn('0/0A000028')).toBe(0x0a00_0028n);
    expect(parseLsn(' ab/cd ')).toBe(0xab_0000_00cdn);
  });

  it.each(['', '/', '0', '0/', '0/G', '1/2/3', '123456789/0', '0/123456789', '-1/0', '0x1/0'])('is not %j', (text) => {
    expect(() => parseLsn(text)).toThrow(UsageError);
  });

  it('has 64 unsigned bits', () => {
    expect(() => toLsn(-1n)).toThrow(UsageError);
    expect(() => toLsn(0x1_0000_0000_0000_0000n)).toThrow(UsageError);
  });
});

import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';

describe('recovery target', () => {
  it('is the end of the WAL on the latest timeline when nothing is said', () => {
    expect(parseRecoveryTarget({})).toEqual({ stop: { kind: 'latest' }, timeline: 'latest', action: 'pause' });
    expect(parseRecoveryTarget({ immediate: false }).stop).toEqual({ kind: 'latest' });
  });

  it('is a time, an LSN, a transaction, a restore point or the end of the backup', () => {
    expect(parseRecoveryTarget({ time: '2026-11-21 10:30+02' }).stop).toEqual({
      kind: 'time',
      time: { at: new Date('2026-11-21T08:30:00Z'), utcText: '2026-11-21 08:30:00+00' },
      isInclusive: true,
    });
    expect(parseRecoveryTarget({ lsn: '0/3000028', inclusive: false }).stop).toEqual({
      kind: 'lsn',
      lsn: 0x0300_0028n,
      isInclusive: false,
    });
    expect(parseRecoveryTarget({ xid: '4294967999' }).stop).toEqual({
      kind: 'xid',
      xid: '4294967999',
      isInclusive: true,
    });
    expect(parseRecoveryTarget({ name: "before 'it' \\ happened" }).stop).toEqual({
      kind: 'name',
      name: "before 'it' \\ happened",
    });
    expect(parseRecoveryTarget({ immediate: true }).stop).toEqual({ kind: 'immediate' });
  });

  it('is one only', () => {
    expect(() => parseRecoveryTarget({ xid: '750', immediate: true })).toThrow(
      'more than one recovery target: xid, immediate',
    );
  });

  it.each(['', '0', '2', '010', '-5', '0x10', '1e3', '18446744073709551616', '7 '])(
    'refuses %j as a transaction',
    (xid) => {
      expect(() => parseRecoveryTarget({ xid })).toThrow(/^not a transaction id/);
    },
  );

  it.each(['', 'x'.repeat(64), 'ü'.repeat(32), 'two\nlines'])('refuses %j as a restore point', (name) => {
    expect(() => parseRecoveryTarget({ name })).toThrow(/^not the name of a restore point/);
  });

  it('takes timelines in decimal and, marked so, in hexadecimal', () => {
    const timelineOf = (timeline: string) => parseRecoveryTarget({ timeline }).timeline;
    expect(timelineOf('latest')).toBe('latest');
    expect(timelineOf('current')).toBe('current');
    expect(timelineOf('10')).toBe(10);
    expect(timelineOf('0xA')).toBe(10);
    for (const wrong of ['', '0', '0x0', '010', '0000000A', '4294967296', 'newest', '-1', '1.5']) {
      expect(() => timelineOf(wrong)).toThrow(/^not a timeline/);
    }
  });

  it('takes pause, promote and shutdown as action, where there is a target', () => {
    expect(parseRecoveryTarget({ immediate: true, action: 'promote' }).action).toBe('promote');
    expect(() => parseRecoveryTarget({ immediate: true, action: 'restart' })).toThrow(
      /^not a target action: "restart"/,
    );
    expect(() => parseRecoveryTarget({ action: 'promote' })).toThrow(/needs a target to stop at/);
  });

  it('can be exclusive only where there is a before and an after', () => {
    expect(() => parseRecoveryTarget({ name: 'x', inclusive: false })).toThrow(UsageError);
    expect(() => parseRecoveryTarget({ immediate: true, inclusive: true })).toThrow(UsageError);
    expect(() => parseRecoveryTarget({ inclusive: true })).toThrow(UsageError);
  });
});

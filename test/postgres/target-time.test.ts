import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { parseTargetTime } from '../../src/postgres/target-time.ts';

/** What the parser says instead of a time, message and hint. */
function refusalOf(text: string): string {
  try {
    return `accepted as ${parseTargetTime(text).utcText}`;
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message, hint } = error as UsageError;
    return `${message}; ${hint}`;
  }
}

describe('target time', () => {
  it.each([
    ['2026-11-21 10:30:15Z', '2026-11-21 10:30:15+00'],
    ['2026-11-21T10:30:15.123456Z', '2026-11-21 10:30:15.123456+00'],
    ['2026-11-21t10:30:15.5z', '2026-11-21 10:30:15.5+00'],
    ['2026-11-21 10:30 UTC', '2026-11-21 10:30:00+00'],
    ['2026-11-21 10:30:15+02', '2026-11-21 08:30:15+00'],
    ['2026-11-21 10:30:15 -0530', '2026-11-21 16:00:15+00'],
    ['2026-01-01 00:10:00.000001+05:45', '2025-12-31 18:25:00.000001+00'],
    ['2026-07-01 12:00 Europe/Berlin', '2026-07-01 10:00:00+00'],
    ['2026-12-01 12:00 Europe/Berlin', '2026-12-01 11:00:00+00'],
    ['2026-07-01 12:00 America/St_Johns', '2026-07-01 14:30:00+00'],
    ['  2024-02-29 23:59:59Z ', '2024-02-29 23:59:59+00'],
  ])('%s is %s in UTC', (text, utcText) => {
    expect(parseTargetTime(text).utcText).toBe(utcText);
  });

  it('is an instant cut off to the millisecond, too', () => {
    expect(parseTargetTime('2026-11-21 10:30:15.9876+02').at).toEqual(new Date('2026-11-21T08:30:15.987Z'));
  });

  it('without a zone is refused with the ways to give one', () => {
    expect(refusalOf('2026-11-21 10:30')).toBe(
      "target time 2026-11-21 10:30:00 has no time zone; Write it with its zone: '2026-11-21 10:30:00Z', " +
        "'2026-11-21 10:30:00+02:00' or '2026-11-21 10:30:00 Europe/Berlin'.",
    );
    expect(refusalOf('2025-01-01T00:00:00')).toMatch(/has no time zone/);
  });

  it('that comes twice when the clocks go back is refused with both instants', () => {
    expect(refusalOf('2026-10-25 02:30 Europe/Berlin')).toBe(
      'target time 2026-10-25 02:30:00 comes twice in Europe/Berlin; ' +
        'Say which one is meant: 2026-10-25T00:30:00Z or 2026-10-25T01:30:00Z.',
    );
  });

  it('that the clocks skip is refused', () => {
    expect(refusalOf('2026-03-29 02:30 Europe/Berlin')).toMatch(/does not exist in Europe\/Berlin: the clocks skip it/);
  });

  it.each(['CET', 'IST', 'PST', 'Europe/Nowhere', '+2', '+16:00', 'UTC+2', 'rubbish'])(
    'in the zone %s is refused',
    (zone) => {
      expect(refusalOf(`2026-11-21 10:30 ${zone}`)).toMatch(/^unknown time zone: .*\+02:00/);
    },
  );

  it.each([
    '',
    'yesterday',
    '2026-11-21',
    '21.11.2026 10:30Z',
    '2026-02-30 10:30Z',
    '2026-13-01 00:00Z',
    '2026-11-21 24:00Z',
    '2026-11-21 10:60Z',
    '2026-11-21 10:30:15.1234567Z',
  ])('%j is none', (text) => {
    expect(refusalOf(text)).toMatch(/^(not a date and time|unknown time zone)/);
  });

  it('in a named zone is the instant at which the clocks there show it', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    );
    const seconds = fc.integer({ min: Date.UTC(1990, 0) / 1000, max: Date.UTC(2040, 0) / 1000 });
    fc.assert(
      fc.property(zones, seconds, (timeZone, second) => {
        const local = new Date(second * 1000).toLocaleString('sv-SE', { timeZone });
        const outcome = refusalOf(`${local} ${timeZone}`);
        const utc = new Date(second * 1000).toISOString().slice(0, 19);
        expect(outcome).toContain(outcome.startsWith('accepted') ? utc.replace('T', ' ') : `${utc}Z`);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { rootTimeline, type TimelineHistory } from '../../src/postgres/timeline-history.ts';
import { findParting, segmentsAlong } from '../../src/wal/parting.ts';

const segmentSizeBytes = 16 * 1024 * 1024;

/** A history by where it left each of its ancestors. */
function history(timeline: number, ...ancestors: [number, string][]): TimelineHistory {
  return {
    timeline,
    ancestors: ancestors.map(([ancestor, lsn]) => ({ timeline: ancestor, switchLsn: parseLsn(lsn), reason: '' })),
  };
}

describe('the point where two clusters have parted', () => {
  it.each([
    ['a standby was promoted', rootTimeline(1), history(2, [1, '0/5000080']), '0/5000080'],
    [
      'two were promoted, one before the other',
      history(2, [1, '0/6000000']),
      history(3, [1, '0/5000080']),
      '0/5000080',
    ],
    ['two were promoted at one place', history(2, [1, '0/6000000']), history(3, [1, '0/6000000']), '0/6000000'],
    [
      'they share more than one timeline',
      history(2, [1, '0/5000080']),
      history(3, [1, '0/5000080'], [2, '0/9000000']),
      '0/9000000',
    ],
    [
      'they went apart twice',
      history(4, [1, '0/5000080'], [3, '0/8000000']),
      history(3, [1, '0/5000080'], [2, '0/9000000']),
      '0/5000080',
    ],
  ])('is found when %s', (_, left, right, expected) => {
    expect(findParting(left, right)).toBe(parseLsn(expected));
    expect(findParting(right, left)).toBe(parseLsn(expected));
  });

  it('does not exist when they are still one, or never were', () => {
    expect(findParting(rootTimeline(1), rootTimeline(1))).toBeUndefined();
    expect(findParting(rootTimeline(1), rootTimeline(2))).toBeUndefined();
  });
});

describe('the segments along a history', () => {
  it('belong to the younger timeline from that of the switch on', () => {
    const along = history(3, [1, '0/5000080'], [2, '0/7000000']);
    const names = segmentsAlong({
      history: along,
      from: parseLsn('0/4000028'),
      to: parseLsn('0/8000000'),
      segmentSizeBytes,
    });
    expect(names).toEqual([
      '000000010000000000000004',
      '000000020000000000000005',
      '000000020000000000000006',
      '000000030000000000000007',
      '000000030000000000000008',
    ]);
  });
});

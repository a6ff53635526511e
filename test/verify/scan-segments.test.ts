import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toLsn } from '../../src/postgres/lsn.ts';
import { rootTimeline, type TimelineHistory } from '../../src/postgres/timeline-history.ts';
import { type ScannedRange, type ScanPlan, type SegmentStatus, scanSegments } from '../../src/verify/scan-segments.ts';

const segmentSizeBytes = 16 * 1024 * 1024;

/** `1:3-5 FOUND` for timeline 1, segments 3 to 5. */
const told = (ranges: readonly ScannedRange[]): string[] =>
  ranges.map(({ timeline, first, last, status }) => `${timeline}:${first}-${last} ${status}`);

function scan(differing: Partial<ScanPlan>, held: Record<number, readonly number[]>): ScannedRange[] {
  const plan = {
    first: 1n,
    last: 10n,
    history: rootTimeline(1),
    segmentSizeBytes,
    delayedLimit: 0,
    uploadingLimit: 0,
    ...differing,
  };
  return scanSegments(
    plan,
    new Map(Object.entries(held).map(([timeline, numbers]) => [Number(timeline), numbers.map(BigInt)])),
  );
}

const upTo = (last: number, ...without: number[]): number[] =>
  Array.from({ length: last }, (_, index) => index + 1).filter((number) => !without.includes(number));

describe('a scan of the archived segments', () => {
  it('finds an unbroken range', () => {
    expect(told(scan({}, { 1: upTo(12) }))).toEqual(['1:1-10 FOUND']);
  });

  it('takes what is missing at the end for delayed, then for uploading, and the rest for lost', () => {
    expect(told(scan({ delayedLimit: 2, uploadingLimit: 3 }, { 1: upTo(4) }))).toEqual([
      '1:1-4 FOUND',
      '1:5-5 MISSING_LOST',
      '1:6-8 MISSING_UPLOADING',
      '1:9-10 MISSING_DELAYED',
    ]);
  });

  it('takes nothing for delayed behind the first segment that it finds', () => {
    const held = { 1: upTo(10, 8, 7) };
    expect(told(scan({ delayedLimit: 5 }, held))).toEqual(['1:1-6 FOUND', '1:7-8 MISSING_LOST', '1:9-10 FOUND']);
    expect(told(scan({ delayedLimit: 5, uploadingLimit: 2 }, held))).toEqual([
      '1:1-6 FOUND',
      '1:7-7 MISSING_LOST',
      '1:8-8 MISSING_UPLOADING',
      '1:9-10 FOUND',
    ]);
  });

  it('looks for each segment on the timeline that owns it, from the switch on the younger one', () => {
    const history: TimelineHistory = {
      timeline: 3,
      ancestors: [
        { timeline: 1, switchLsn: toLsn(4n * BigInt(segmentSizeBytes) + 40n), reason: '' },
        { timeline: 2, switchLsn: toLsn(7n * BigInt(segmentSizeBytes)), reason: '' },
      ],
    };
    const held = { 1: upTo(10), 2: [4, 5, 6, 7], 3: [7, 8, 10] };
    expect(told(scan({ history }, held))).toEqual([
      '1:1-3 FOUND',
      '2:4-6 FOUND',
      '3:7-8 FOUND',
      '3:9-9 MISSING_LOST',
      '3:10-10 FOUND',
    ]);
    expect(told(scan({ history, first: 6n }, held))[0]).toBe('2:6-6 FOUND');
  });

  it('finds nothing where there is nothing to look for', () => {
    expect(scan({ first: 5n, last: 4n }, { 1: upTo(10) })).toEqual([]);
  });

  it('agrees with a look at one segment after the other', () => {
    const anyScan = fc.record({
      held: fc.uniqueArray(fc.integer({ min: 1, max: 30 })),
      first: fc.integer({ min: 1, max: 30 }),
      last: fc.integer({ min: 0, max: 30 }),
      delayedLimit: fc.integer({ min: 0, max: 6 }),
      uploadingLimit: fc.integer({ min: 0, max: 6 }),
    });
    fc.assert(
      fc.property(anyScan, ({ held, first, last, ...limits }) => {
        const sorted = held.toSorted((a, b) => a - b);
        const ranges = scan({ first: BigInt(first), last: BigInt(last), ...limits }, { 1: sorted });
        const singly = ranges.flatMap((range) =>
          Array.from({ length: Number(range.last - range.first) + 1 }, (_, index) => [
            Number(range.first) + index,
            range.status,
          ]),
        );
        expect(singly).toEqual(oneByOne(new Set(held), first, last, limits));
      }),
    );
  });
});

/** The same by WAL-G's description: up to the first segment that is found, then so many more, then all others. */
function oneByOne(
  held: ReadonlySet<number>,
  first: number,
  last: number,
  { delayedLimit, uploadingLimit }: { delayedLimit: number; uploadingLimit: number },
): [number, SegmentStatus][] {
  const seen: [number, SegmentStatus][] = [];
  let next = last;
  const look = (missing: SegmentStatus): boolean => {
    const isFound = held.has(next);
    seen.unshift([next, isFound ? 'FOUND' : missing]);
    next -= 1;
    return isFound;
  };
  for (let left = delayedLimit; left > 0 && next >= first; left -= 1) if (look('MISSING_DELAYED')) break;
  for (let left = uploadingLimit; left > 0 && next >= first; left -= 1) look('MISSING_UPLOADING');
  while (next >= first) look('MISSING_LOST');
  return seen;
}

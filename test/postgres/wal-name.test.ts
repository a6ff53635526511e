import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import {
  formatHistoryName,
  formatSegmentName,
  isSegmentSize,
  nextSegment,
  parseSegmentName,
  parseWalFileName,
  segmentBeforeLsn,
  segmentOfLsn,
  segmentStartLsn,
} from '../../src/postgres/wal-name.ts';

const mib = 1024 * 1024;
const segmentSizes = fc.integer({ min: 0, max: 10 }).map((power) => mib * 2 ** power);
const timelines = fc.integer({ min: 1, max: 0xffff_ffff });
const lsns = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn }).map(toLsn);

describe('WAL file names', () => {
  it('are of four kinds', () => {
    const segment = '000000020000000A000000FF';
    expect(parseWalFileName(segment)).toEqual({
      kind: 'segment',
      fileName: segment,
      segmentName: segment,
      timeline: 2,
    });
    expect(parseWalFileName(`${segment}.partial`)).toMatchObject({ kind: 'partial', segmentName: segment });
    expect(parseWalFileName(`${segment}.00000028.backup`)).toMatchObject({
      kind: 'backup-history',
      segmentName: segment,
    });
    expect(parseWalFileName('0000000A.history')).toEqual({
      kind: 'history',
      fileName: '0000000A.history',
      timeline: 10,
    });
  });

  it.each([
    '',
    '00000001000000000000000',
    '0000000100000000000000011',
    '00000001000000000000000a',
    '000000000000000000000001',
    '000000010000000000000001.gz',
    '000000010000000000000001.partial.gz',
    '00000001.History',
    '00000000.history',
    '000000010000000000000001.28.backup',
    'pg_wal/000000010000000000000001',
    '000000010000000000000001\n',
    'RECOVERYXLOG',
  ])('do not include %j', (fileName) => {
    expect(parseWalFileName(fileName)).toBeUndefined();
  });

  it('give the position that they were made from, at every segment size', () => {
    fc.assert(
      fc.property(segmentSizes, timelines, lsns, (sizeBytes, timeline, lsn) => {
        const position = segmentOfLsn(timeline, lsn, sizeBytes);
        expect(parseSegmentName(formatSegmentName(position, sizeBytes), sizeBytes)).toEqual(position);
      }),
    );
  });

  it('sort like the positions on one timeline', () => {
    fc.assert(
      fc.property(segmentSizes, lsns, lsns, (sizeBytes, one, other) => {
        const [a, b] = [one, other].map((lsn) => formatSegmentName(segmentOfLsn(1, lsn, sizeBytes), sizeBytes));
        if (a !== b) expect((a ?? '') < (b ?? '')).toBe(one < other);
      }),
    );
  });

  it('carry over into the middle part after 4 GiB', () => {
    const successor = (name: string, sizeBytes: number): string =>
      formatSegmentName(nextSegment(parseSegmentName(name, sizeBytes)), sizeBytes);
    expect(successor('0000000100000000000000FF', 16 * mib)).toBe('000000010000000100000000');
    expect(successor('00000001000000000000003F', 64 * mib)).toBe('000000010000000100000000');
    expect(successor('000000010000000000000FFF', mib)).toBe('000000010000000100000000');
    expect(successor('000000010000000000000003', 1024 * mib)).toBe('000000010000000100000000');
  });

  it('do not exist beyond the number of segments in 4 GiB', () => {
    expect(() => parseSegmentName('000000010000000000000100', 16 * mib)).toThrow(UsageError);
    expect(() => parseSegmentName('000000010000000000000040', 64 * mib)).toThrow(UsageError);
    expect(parseSegmentName('000000010000000000000100', mib).segmentNumber).toBe(256n);
  });

  it('hold a history name for each timeline', () => {
    fc.assert(
      fc.property(timelines, (timeline) => {
        expect(parseWalFileName(formatHistoryName(timeline))).toMatchObject({ kind: 'history', timeline });
      }),
    );
  });
});

describe('segment of a position', () => {
  it('holds it', () => {
    fc.assert(
      fc.property(segmentSizes, lsns, (sizeBytes, lsn) => {
        const startLsn = segmentStartLsn(segmentOfLsn(1, lsn, sizeBytes), sizeBytes);
        expect(startLsn <= lsn && lsn - startLsn < BigInt(sizeBytes)).toBe(true);
      }),
    );
  });

  it('is the one before when the position is an end on the boundary', () => {
    const boundary = toLsn(0x0200_0000n);
    expect(segmentOfLsn(1, boundary, 16 * mib).segmentNumber).toBe(2n);
    expect(segmentBeforeLsn(1, boundary, 16 * mib).segmentNumber).toBe(1n);
    expect(segmentBeforeLsn(1, toLsn(boundary + 1n), 16 * mib).segmentNumber).toBe(2n);
  });
});

describe('segment size', () => {
  it('is a power of two from 1 MiB to 1 GiB', () => {
    fc.assert(fc.property(segmentSizes, isSegmentSize));
    for (const sizeBytes of [0, 1, mib / 2, 3 * mib, 2048 * mib, 16 * mib + 1, -mib, Number.NaN]) {
      expect(isSegmentSize(sizeBytes)).toBe(false);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError, UsageError } from '../../src/errors.ts';
import { checkFirstPage, type FirstPageCheck } from '../../src/postgres/first-page.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import { formatSegmentName, segmentOfLsn } from '../../src/postgres/wal-name.ts';
import { makeSegment, testSystemIdentifier } from '../support/wal-segment.ts';

const mib = 1024 * 1024;
const fileName = '000000030000000A000000FE';

/** A check of a sound segment, but for what the test changes. */
function check(change: Partial<FirstPageCheck> & { readonly patch?: (page: DataView) => void } = {}): FirstPageCheck {
  const segment = makeSegment({ fileName });
  change.patch?.(new DataView(segment.buffer));
  return { fileName, fileSizeBytes: segment.byteLength, page: segment.subarray(0, 8192), ...change };
}

describe('first page', () => {
  it('of a sound segment is accepted at every segment size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 }),
        fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        (power, lsn) => {
          const segmentSizeBytes = mib * 2 ** power;
          const name = formatSegmentName(segmentOfLsn(3, toLsn(lsn), segmentSizeBytes), segmentSizeBytes);
          const page = makeSegment({ fileName: name, segmentSizeBytes }).subarray(0, 40);
          const systemIdentifier = testSystemIdentifier;
          const header = checkFirstPage({ fileName: name, fileSizeBytes: segmentSizeBytes, page, systemIdentifier });
          expect(header.segmentSizeBytes).toBe(segmentSizeBytes);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('of a .partial file is checked like that of the segment', () => {
    expect(checkFirstPage(check({ fileName: `${fileName}.partial` })).timeline).toBe(3);
  });

  it('may be of an older timeline than the name, never of a younger one or of none', () => {
    const withTimeline = (timeline: number) => check({ patch: (page) => page.setUint32(4, timeline, true) });
    expect(checkFirstPage(withTimeline(1)).timeline).toBe(1);
    expect(() => checkFirstPage(withTimeline(4))).toThrow(/begins on timeline 4, which cannot precede timeline 3/);
    expect(() => checkFirstPage(withTimeline(0))).toThrow(/begins on timeline 0/);
  });

  it('is refused when the file is empty or shorter than a header', () => {
    expect(() => checkFirstPage(check({ fileSizeBytes: 0, page: new Uint8Array() }))).toThrow(/is empty$/);
    expect(() => checkFirstPage(check({ fileSizeBytes: 7, page: new Uint8Array(7) }))).toThrow(/ends after 7 bytes/);
  });

  it('is refused when the file has another size than its header says', () => {
    expect(() => checkFirstPage(check({ fileSizeBytes: mib - 1 }))).toThrow(
      `WAL segment ${fileName} is 1048575 bytes long, but its header says 1048576`,
    );
  });

  it('is refused when no cluster has the segment size of the header', () => {
    const patch = (page: DataView) => page.setUint32(32, 3 * mib, true);
    expect(() => checkFirstPage(check({ patch }))).toThrow(/gives 3145728 bytes as segment size/);
  });

  it('is refused with an unknown magic, unless that is expected', () => {
    const unknown = check({ patch: (page) => page.setUint16(0, 0xd2ff, true) });
    expect(() => checkFirstPage(unknown)).toThrow(/has the unknown page magic D2FF/);
    expect(checkFirstPage({ ...unknown, acceptUnknownMagic: true }).majorVersion).toBeUndefined();
  });

  it('is refused when the page belongs to another place in the log', () => {
    const patch = (page: DataView) => page.setBigUint64(8, 0xa_fd00_0000n, true);
    expect(() => checkFirstPage(check({ patch }))).toThrow(/begins at A\/FD000000, but its name says A\/FE00000/);
  });

  it('is refused when segments of that size have no such name', () => {
    const patch = (page: DataView) => page.setUint32(32, 64 * mib, true);
    expect(() => checkFirstPage(check({ patch, fileSizeBytes: 64 * mib }))).toThrow(
      /but its name says no position of segments of 67108864 bytes/,
    );
  });

  it('is refused when it is of another cluster, naming both', () => {
    expect(() => checkFirstPage(check({ systemIdentifier: 42n }))).toThrow(
      `WAL segment ${fileName} belongs to the cluster with system identifier ${testSystemIdentifier}, not to 42`,
    );
  });

  it('always says what to do', () => {
    const wrong = [check({ fileSizeBytes: 0 }), check({ fileSizeBytes: 9 }), check({ systemIdentifier: 42n })];
    for (const one of wrong) {
      try {
        checkFirstPage(one);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(IntegrityError);
        expect((error as IntegrityError).hint).toMatch(/^[A-Z].*\.$/);
      }
    }
  });

  it('is asked of segments only', () => {
    expect(() => checkFirstPage(check({ fileName: '00000002.history' }))).toThrow(UsageError);
  });
});

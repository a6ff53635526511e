import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { formatMagic, parseWalHeader, walHeaderSizeBytes } from '../../src/postgres/wal-header.ts';
import { makeSegment, testSystemIdentifier } from '../support/wal-segment.ts';

const fileName = '000000030000000A000000FE';

describe('WAL header', () => {
  it('tells the major, timeline, position, cluster, segment size and page size', () => {
    const page = makeSegment({ fileName, segmentSizeBytes: 16 * 1024 * 1024, timeline: 2 }).subarray(
      0,
      walHeaderSizeBytes,
    );
    expect(parseWalHeader(page, fileName)).toEqual({
      majorVersion: 18,
      magic: 0xd118,
      timeline: 2,
      startLsn: 0xa_fe00_0000n,
      systemIdentifier: testSystemIdentifier,
      segmentSizeBytes: 16 * 1024 * 1024,
      pageSizeBytes: 8192,
    });
  });

  it('is read wherever it lies in a larger buffer', () => {
    const segment = makeSegment({ fileName });
    const buffer = new Uint8Array(7 + walHeaderSizeBytes);
    buffer.set(segment.subarray(0, walHeaderSizeBytes), 7);
    expect(parseWalHeader(buffer.subarray(7), fileName)).toEqual(parseWalHeader(segment, fileName));
  });

  it('leaves the major open when the magic is a new one', () => {
    const header = parseWalHeader(makeSegment({ fileName, magic: 0xd199 }), fileName);
    expect(header.majorVersion).toBeUndefined();
    expect(formatMagic(header.magic)).toBe('D199');
    expect(formatMagic(0x0a)).toBe('000A');
  });

  it('is refused when it is cut short, zero or a short one', () => {
    const segment = makeSegment({ fileName });
    expect(() => parseWalHeader(segment.subarray(0, walHeaderSizeBytes - 1), fileName)).toThrow(/ends after 39 bytes/);
    expect(() => parseWalHeader(new Uint8Array(8192), fileName)).toThrow(/page magic is 0000/);
    segment[2] = 0;
    expect(() => parseWalHeader(segment, fileName)).toThrow(/without a long header \(page magic D118\)/);
    expect(() => parseWalHeader(segment, fileName)).toThrow(IntegrityError);
  });
});

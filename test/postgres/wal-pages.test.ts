import { describe, expect, it } from 'vitest';
import { parseWalHeader } from '../../src/postgres/wal-header.ts';
import { watchPages } from '../../src/postgres/wal-pages.ts';
import { makeSegment } from '../support/wal-segment.ts';

const fileName = '000000020000000000000002';
const mib = 1024 * 1024;
const pageSizeBytes = 8192;

/** A segment of 1 MiB with a proper header on its first pages, zeros behind them. */
function segmentOf(pages: number): Uint8Array {
  const segment = makeSegment({ fileName });
  for (let page = 1; page < pages; page += 1) writeHeader(segment, page);
  return segment;
}

function writeHeader(segment: Uint8Array, page: number, timeline = 2): void {
  const view = new DataView(segment.buffer, page * pageSizeBytes);
  view.setUint16(0, 0xd118, true);
  view.setUint32(4, timeline, true);
  view.setBigUint64(8, BigInt(2 * mib + page * pageSizeBytes), true);
}

function watch(segment: Uint8Array, blockBytes = mib): void {
  const see = watchPages(fileName, parseWalHeader(segment, fileName), 2);
  for (let at = 0; at < segment.length; at += blockBytes) see(segment.subarray(at, at + blockBytes));
}

describe('the pages of a segment', () => {
  it('are accepted in blocks of any number of pages', () => {
    for (const blockBytes of [pageSizeBytes, 65_536, mib]) watch(segmentOf(128), blockBytes);
  });

  it('may be of the timelines before, which a new timeline begins with a copy of', () => {
    const segment = segmentOf(128);
    for (let page = 1; page < 60; page += 1) writeHeader(segment, page, 1);
    watch(segment);
  });

  it('may end with zeros after a switch, or with what was in the file before', () => {
    watch(segmentOf(1));
    const segment = segmentOf(77);
    segment.fill(0xee, 100 * pageSizeBytes);
    watch(segment);
  });

  it.each([
    ['a page of zeros', (segment: Uint8Array, at: number) => segment.fill(0, at, at + pageSizeBytes)],
    ['rubbish', (segment: Uint8Array, at: number) => segment.fill(0xee, at, at + pageSizeBytes)],
    ['another page', (segment: Uint8Array, at: number) => segment.copyWithin(at, 0, pageSizeBytes)],
    ['a page of a later timeline', (segment: Uint8Array, at: number) => writeHeader(segment, at / pageSizeBytes, 3)],
    ['a page of no timeline', (segment: Uint8Array, at: number) => writeHeader(segment, at / pageSizeBytes, 0)],
  ])('are refused with %s in between, by its position', (_what, damage) => {
    for (const page of [1, 64, 126]) {
      const segment = segmentOf(128);
      damage(segment, page * pageSizeBytes);
      const lsn = (2 * mib + page * pageSizeBytes).toString(16).toUpperCase();
      expect(() => watch(segment)).toThrow(`WAL segment ${fileName} has a damaged page at 0/${lsn}`);
    }
  });

  it('are refused with any one bit of what says which page it is flipped', () => {
    for (let bit = 0; bit < 8 * 16; bit += 1) {
      // The flags of a page say what it begins with; PostgreSQL compares them with its records.
      if (bit >= 16 && bit < 32) continue;
      const segment = segmentOf(128);
      const at = 5 * pageSizeBytes + (bit >> 3);
      segment[at] = (segment[at] ?? 0) ^ (1 << (bit & 7));
      expect(() => watch(segment)).toThrow('damaged page');
    }
  });

  it('are refused when the first one gives no size that pages have', () => {
    for (const sizeBytes of [0, 512, 8191, 131_072]) {
      const segment = segmentOf(128);
      new DataView(segment.buffer).setUint32(36, sizeBytes, true);
      expect(() => watch(segment)).toThrow(`gives ${sizeBytes} bytes as page size`);
    }
  });
});

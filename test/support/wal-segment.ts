import { parseSegmentName, segmentStartLsn } from '../../src/postgres/wal-name.ts';

export interface SegmentOptions {
  readonly fileName: string;
  readonly segmentSizeBytes?: number;
  readonly systemIdentifier?: bigint;
  /** In the header; by default the one in the name. */
  readonly timeline?: number;
  /** PostgreSQL 18's unless given. */
  readonly magic?: number;
  /** What lies behind the header. */
  readonly content?: Uint8Array;
}

export const testSystemIdentifier = 7_543_210_987_654_321_012n;

/** A WAL segment as PostgreSQL lays it out: a long page header, then the content, then zeros. */
export function makeSegment(options: SegmentOptions): Uint8Array {
  const { fileName, segmentSizeBytes = 1024 * 1024, systemIdentifier = testSystemIdentifier } = options;
  const position = parseSegmentName(fileName.slice(0, 24), segmentSizeBytes);
  const segment = new Uint8Array(segmentSizeBytes);
  const view = new DataView(segment.buffer);
  view.setUint16(0, options.magic ?? 0xd118, true);
  view.setUint16(2, 0x0002, true);
  view.setUint32(4, options.timeline ?? position.timeline, true);
  view.setBigUint64(8, segmentStartLsn(position, segmentSizeBytes), true);
  view.setBigUint64(24, systemIdentifier, true);
  view.setUint32(32, segmentSizeBytes, true);
  view.setUint32(36, 8192, true);
  segment.set(options.content ?? [], 40);
  return segment;
}

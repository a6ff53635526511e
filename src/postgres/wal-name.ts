import { UsageError } from '../errors.ts';
import { type Lsn, toLsn } from './lsn.ts';

/**
 * Names of the files that PostgreSQL hands to archive_command and asks of restore_command.
 *
 * @see postgres src/include/access/xlog_internal.h (XLogFileName, TLHistoryFileName, BackupHistoryFileName)
 */
export type WalFileName =
  | {
      readonly kind: 'segment' | 'partial';
      readonly fileName: string;
      readonly segmentName: string;
      readonly timeline: number;
    }
  | { readonly kind: 'history'; readonly fileName: string; readonly timeline: number }
  | {
      readonly kind: 'backup-history';
      readonly fileName: string;
      readonly segmentName: string;
      readonly timeline: number;
    };

/** Place of a segment in the log: timeline and running number, which is LSN / segment size. */
export interface SegmentPosition {
  readonly timeline: number;
  readonly segmentNumber: bigint;
}

const minimumSegmentSizeBytes = 1024 * 1024;
const maximumSegmentSizeBytes = 1024 * 1024 * 1024;
export const defaultSegmentSizeBytes: number = 16 * 1024 * 1024;

const segmentPattern = /^[0-9A-F]{24}$/;
const partialPattern = /^([0-9A-F]{24})\.partial$/;
const historyPattern = /^([0-9A-F]{8})\.history$/;
const backupHistoryPattern = /^([0-9A-F]{24})\.[0-9A-F]{8}\.backup$/;

/** Recognises the four kinds of WAL file names; anything else gives undefined. The timeline 0 does not exist. */
export function parseWalFileName(fileName: string): WalFileName | undefined {
  const timeline = Number.parseInt(fileName.slice(0, 8), 16);
  if (timeline === 0) return undefined;
  if (segmentPattern.test(fileName)) return { kind: 'segment', fileName, segmentName: fileName, timeline };
  const partial = partialPattern.exec(fileName)?.[1];
  if (partial !== undefined) return { kind: 'partial', fileName, segmentName: partial, timeline };
  if (historyPattern.test(fileName)) return { kind: 'history', fileName, timeline };
  const backup = backupHistoryPattern.exec(fileName)?.[1];
  if (backup !== undefined) return { kind: 'backup-history', fileName, segmentName: backup, timeline };
  return undefined;
}

/** Whether a segment size is one that `initdb --wal-segsize` allows: a power of two from 1 MiB to 1 GiB. */
export function isSegmentSize(sizeBytes: number): boolean {
  return (
    Number.isInteger(sizeBytes) &&
    sizeBytes >= minimumSegmentSizeBytes &&
    sizeBytes <= maximumSegmentSizeBytes &&
    (sizeBytes & (sizeBytes - 1)) === 0
  );
}

/**
 * Parses the name of a segment, 24 upper-case hex digits `TTTTTTTTXXXXXXXXYYYYYYYY`: timeline, log id, segment in log.
 *
 * @param segmentSizeBytes - power of two, 1 MiB to 1 GiB (`wal_segment_size`)
 * @throws {@link UsageError} when it is no segment name, or its last part is not below 4 GiB / segment size
 */
export function parseSegmentName(segmentName: string, segmentSizeBytes: number): SegmentPosition {
  if (!segmentPattern.test(segmentName))
    throw new UsageError(`not the name of a WAL segment: ${JSON.stringify(segmentName)}`);
  const segmentsPerLog = 0x1_0000_0000n / BigInt(segmentSizeBytes);
  const low = BigInt(`0x${segmentName.slice(16)}`);
  if (low >= segmentsPerLog) {
    throw new UsageError(`segment name ${segmentName} does not exist with segments of ${segmentSizeBytes} bytes`);
  }
  return {
    timeline: Number.parseInt(segmentName.slice(0, 8), 16),
    segmentNumber: BigInt(`0x${segmentName.slice(8, 16)}`) * segmentsPerLog + low,
  };
}

/** The inverse of {@link parseSegmentName}. */
export function formatSegmentName(position: SegmentPosition, segmentSizeBytes: number): string {
  const segmentsPerLog = 0x1_0000_0000n / BigInt(segmentSizeBytes);
  return (
    hex8(BigInt(position.timeline)) +
    hex8(position.segmentNumber / segmentsPerLog) +
    hex8(position.segmentNumber % segmentsPerLog)
  );
}

/** The name of a timeline's history file, `00000002.history`. */
export function formatHistoryName(timeline: number): string {
  return `${hex8(BigInt(timeline))}.history`;
}

/** The segment that holds the byte at this LSN. */
export function segmentOfLsn(timeline: number, lsn: Lsn, segmentSizeBytes: number): SegmentPosition {
  return { timeline, segmentNumber: lsn / BigInt(segmentSizeBytes) };
}

/**
 * The segment that holds the last byte before an end position, such as a backup's stop LSN. On a segment's boundary that is the
 * one before; `pg_walfile_name` answers differently from one PostgreSQL major to another.
 */
export function segmentBeforeLsn(timeline: number, endLsn: Lsn, segmentSizeBytes: number): SegmentPosition {
  return { timeline, segmentNumber: (endLsn - 1n) / BigInt(segmentSizeBytes) };
}

/** The LSN of a segment's first byte. */
export function segmentStartLsn(position: SegmentPosition, segmentSizeBytes: number): Lsn {
  return toLsn(position.segmentNumber * BigInt(segmentSizeBytes));
}

/** The segment after this one on the same timeline. */
export function nextSegment(position: SegmentPosition): SegmentPosition {
  return { timeline: position.timeline, segmentNumber: position.segmentNumber + 1n };
}

function hex8(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

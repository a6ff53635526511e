import { crc32c } from '@node-rs/crc32';
import { type Lsn, toLsn } from './lsn.ts';

/** A checkpoint as the log tells of it. */
export interface CheckpointRecord {
  readonly lsn: Lsn;
  /** Where recovery from this checkpoint begins. */
  readonly redoLsn: Lsn;
}

/** The unit in which the log is written (XLOG_BLCKSZ), as all common builds have it. */
export const walPageSizeBytes = 8192;

const shortHeaderSizeBytes = 24;
const longHeaderSizeBytes = 40;
const longHeaderFlag = 0x0002;
const recordHeaderSizeBytes = 24;
/** A record's data follow a byte that says so and one with their length. */
const dataOffset = recordHeaderSizeBytes + 2;
const shortDataMark = 255;
/** Records of checkpoints have 114 bytes since PostgreSQL 10; they may grow. */
const longestRecordBytes = 280;
/** `xl_info` of the resource manager 0, XLOG. */
const shutdownCheckpoint = 0x00;
const onlineCheckpoint = 0x10;

/**
 * The checkpoints whose records lie on one page of the log as a whole, ascending. They are found by their shape and proven by their
 * checksum, without following the chain of records, so a page can be looked at by itself; a record that goes on on the next page is
 * not found.
 *
 * @param page - its {@link walPageSizeBytes} bytes; one that says another position, as in a segment to be used again, has none
 * @see postgres src/include/access/xlogrecord.h, XLogRecord; src/include/catalog/pg_control.h, CheckPoint
 */
export function checkpointsOnPage(page: Uint8Array, pageLsn: Lsn): CheckpointRecord[] {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (view.getBigUint64(8, true) !== pageLsn) return [];
  const found: CheckpointRecord[] = [];
  let offset = (view.getUint16(2, true) & longHeaderFlag) === 0 ? shortHeaderSizeBytes : longHeaderSizeBytes;
  for (; offset + dataOffset + 8 <= page.byteLength; offset += 8) {
    const sizeBytes = view.getUint32(offset, true);
    if (sizeBytes < dataOffset + 8 || sizeBytes > longestRecordBytes || offset + sizeBytes > page.byteLength) continue;
    if (view.getUint8(offset + 17) !== 0 || view.getUint8(offset + recordHeaderSizeBytes) !== shortDataMark) continue;
    const info = view.getUint8(offset + 16);
    if (info !== shutdownCheckpoint && info !== onlineCheckpoint) continue;
    const record = page.subarray(offset, offset + sizeBytes);
    if (checksumOf(record) !== view.getUint32(offset + 20, true)) continue;
    found.push({
      lsn: toLsn(pageLsn + BigInt(offset)),
      redoLsn: toLsn(view.getBigUint64(offset + dataOffset, true)),
    });
  }
  return found;
}

/** Of what follows the header, and then of the header up to the checksum itself. */
function checksumOf(record: Uint8Array): number {
  const ofData = crc32c(Buffer.from(record.subarray(recordHeaderSizeBytes)));
  return crc32c(Buffer.from(record.subarray(0, 20)), ofData);
}

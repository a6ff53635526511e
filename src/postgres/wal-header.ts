import { IntegrityError } from '../errors.ts';
import { type Lsn, toLsn } from './lsn.ts';

/**
 * The long page header at the start of every WAL segment. All numbers are little-endian, as on every machine that PostgreSQL is
 * commonly run on; a segment from a big-endian machine shows up as an unknown page magic.
 *
 * @see postgres src/include/access/xlog_internal.h, XLogPageHeaderData and XLogLongPageHeaderData
 */
export interface WalHeader {
  /** The PostgreSQL major that wrote the segment; undefined when this table does not know its page magic. */
  readonly majorVersion: number | undefined;
  readonly magic: number;
  /** Of the page's first bytes; the first segment of a new timeline begins with a copy of the old one, so it may be lower than the name's. */
  readonly timeline: number;
  /** The LSN of the segment's first byte. */
  readonly startLsn: Lsn;
  readonly systemIdentifier: bigint;
  readonly segmentSizeBytes: number;
  /** XLOG_BLCKSZ, 8192 unless PostgreSQL was built otherwise. */
  readonly pageSizeBytes: number;
}

/** How many bytes from the start of a segment {@link parseWalHeader} needs. */
export const walHeaderSizeBytes = 40;

/** XLOG_PAGE_MAGIC by major, read from real segments. Each major has its own. */
const majorsByMagic: ReadonlyMap<number, number> = new Map([
  [0xd097, 10],
  [0xd098, 11],
  [0xd101, 12],
  [0xd106, 13],
  [0xd10d, 14],
  [0xd110, 15],
  [0xd113, 16],
  [0xd116, 17],
  [0xd118, 18],
]);

const longHeaderFlag = 0x0002;

/**
 * Parses the header of a segment's first page; checks only that there is one.
 *
 * @param page - at least the first {@link walHeaderSizeBytes} bytes of the file
 * @param fileName - for messages
 * @throws {@link IntegrityError} when the bytes are too few or cannot be the start of a segment
 */
export function parseWalHeader(page: Uint8Array, fileName: string): WalHeader {
  if (page.byteLength < walHeaderSizeBytes) throw damaged(fileName, `ends after ${page.byteLength} bytes`);
  const view = new DataView(page.buffer, page.byteOffset, walHeaderSizeBytes);
  const magic = view.getUint16(0, true);
  if (magic === 0) throw damaged(fileName, 'begins with zeros: its page magic is 0000');
  if ((view.getUint16(2, true) & longHeaderFlag) === 0) {
    throw damaged(fileName, `begins with a page without a long header (page magic ${formatMagic(magic)})`);
  }
  return {
    majorVersion: majorsByMagic.get(magic),
    magic,
    timeline: view.getUint32(4, true),
    startLsn: toLsn(view.getBigUint64(8, true)),
    systemIdentifier: view.getBigUint64(24, true),
    segmentSizeBytes: view.getUint32(32, true),
    pageSizeBytes: view.getUint32(36, true),
  };
}

/** Four hexadecimal digits, as PostgreSQL's own messages show a page magic: `D118`. */
export function formatMagic(magic: number): string {
  return magic.toString(16).toUpperCase().padStart(4, '0');
}

function damaged(fileName: string, problem: string): IntegrityError {
  return new IntegrityError(`WAL segment ${fileName} ${problem}`, {
    hint: 'The file is damaged or no WAL segment: look for another copy of it before anything is removed.',
  });
}

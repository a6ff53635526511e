import { IntegrityError } from '../errors.ts';
import { formatLsn, toLsn } from './lsn.ts';
import type { WalHeader } from './wal-header.ts';

/** Takes the bytes of a segment one block after the other; each block holds whole pages. */
export type PageWatch = (block: Uint8Array) => void;

/** Bytes from the start of a page that say which one it is: magic, flags, timeline, address. */
const pageHeaderBytes = 16;

/**
 * Watches the headers of a segment's pages go by: each has the segment's magic, its own address, and no timeline behind the name's.
 * PostgreSQL refuses any other page, and takes it for the end of the WAL. Behind the last record of a segment anything may lie, zeros after a
 * switch, or what was there before the file was used again: so a page is damaged when a proper one follows.
 *
 * The content of pages is not looked at: records have checksums, which PostgreSQL verifies.
 *
 * @param header - of the segment's first page
 * @param timeline - of its name
 * @throws {@link IntegrityError} at once when the header gives no size that pages have; from the watch, when a page in between is damaged
 * @see postgres src/backend/access/transam/xlogreader.c, XLogReaderValidatePageHeader
 */
export function watchPages(fileName: string, header: WalHeader, timeline: number): PageWatch {
  const { magic, startLsn, pageSizeBytes } = header;
  if (!isPageSize(pageSizeBytes)) throw damaged(fileName, `gives ${pageSizeBytes} bytes as page size in its header`);
  let offset = 0n;
  let improperOffset: bigint | undefined;

  const isProper = (page: DataView): boolean => {
    const pageTimeline = page.getUint32(4, true);
    return (
      page.getUint16(0, true) === magic &&
      page.getBigUint64(8, true) === startLsn + offset &&
      pageTimeline > 0 &&
      pageTimeline <= timeline
    );
  };

  return (block) => {
    for (let at = 0; at + pageHeaderBytes <= block.length; at += pageSizeBytes) {
      if (!isProper(new DataView(block.buffer, block.byteOffset + at, pageHeaderBytes))) improperOffset ??= offset;
      else if (improperOffset !== undefined) {
        throw damaged(fileName, `has a damaged page at ${formatLsn(toLsn(startLsn + improperOffset))}`);
      }
      offset += BigInt(pageSizeBytes);
    }
  };
}

/** XLOG_BLCKSZ is a power of two from 1 to 64 KiB. */
function isPageSize(sizeBytes: number): boolean {
  return sizeBytes >= 1024 && sizeBytes <= 65_536 && Number.isInteger(Math.log2(sizeBytes));
}

function damaged(fileName: string, problem: string): IntegrityError {
  return new IntegrityError(`WAL segment ${fileName} ${problem}`, {
    hint: 'Look for another copy of it: in another repository, on a standby, or in a pg_wal.',
  });
}

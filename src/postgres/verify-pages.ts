import { type Lsn, toLsn } from './lsn.ts';
import { pageChecksum, pageChecksumOffset, pageSizeBytes } from './page-checksum.ts';

/** `checksum`: the page is not what was written; `header`: no page of PostgreSQL's has such a header. */
export type PageDamage = 'checksum' | 'header';

export interface DamagedPage {
  /** In the fork. */
  readonly blockNumber: number;
  readonly damage: PageDamage;
}

export interface PageVerification {
  readonly damaged: readonly DamagedPage[];
  /**
   * Of the pages that were changed since the backup began, and therefore not compared with their checksum, the one with the highest
   * LSN. When that LSN lies beyond the end of the backup, the page is damaged: nobody can have written it.
   */
  readonly newest: { readonly blockNumber: number; readonly lsn: Lsn } | undefined;
}

/** Offsets in the page header. @see postgres src/include/storage/bufpage.h, PageHeaderData */
const lowerOffset = 12;
const upperOffset = 14;
const specialOffset = 16;
const sizeAndVersionOffset = 18;
const headerSizeBytes = 24;
/** `pd_pagesize_version`: 8192 bytes, layout 4, since PostgreSQL 8.3. */
const sizeAndVersion = pageSizeBytes | 4;

const unwrittenPage = new Uint8Array(pageSizeBytes);

/**
 * Verifies the pages of a relation file of a cluster with data checksums, by the rules of the server's own base backup:
 * a page that was never written is all zeros, and one whose LSN is not below `startLsn` may be torn by a write that is going on,
 * which the WAL of the backup mends. What lies behind the last whole page is not looked at.
 *
 * A damaged page of a running server is to be read again before it counts: it may have been caught in the middle of a write.
 *
 * @param pages - the bytes of the file from the beginning of a page on
 * @param firstBlock - number of that page in the fork
 * @see postgres src/backend/backup/basebackup.c, verify_page_checksum
 */
export function verifyPages(pages: Uint8Array, firstBlock: number, startLsn: Lsn): PageVerification {
  const view = new DataView(pages.buffer, pages.byteOffset, pages.byteLength);
  const startHigh = Number(startLsn >> 32n);
  const startLow = Number(startLsn & 0xffff_ffffn);
  const damaged: DamagedPage[] = [];
  let newest: { blockNumber: number; high: number; low: number } | undefined;

  for (let offset = 0; offset + pageSizeBytes <= pages.length; offset += pageSizeBytes) {
    const blockNumber = firstBlock + offset / pageSizeBytes;
    const page = pages.subarray(offset, offset + pageSizeBytes);
    // An LSN on a page is two 32-bit words, the high one first, each in the byte order of the machine.
    const high = view.getUint32(offset, true);
    const low = view.getUint32(offset + 4, true);
    if (view.getUint16(offset + upperOffset, true) === 0) {
      if (Buffer.compare(page, unwrittenPage) !== 0) damaged.push({ blockNumber, damage: 'header' });
    } else if (high < startHigh || (high === startHigh && low < startLow)) {
      const isIntact = view.getUint16(offset + pageChecksumOffset, true) === pageChecksum(page, blockNumber);
      if (!isIntact) damaged.push({ blockNumber, damage: 'checksum' });
    } else if (!isPossibleHeader(view, offset)) {
      damaged.push({ blockNumber, damage: 'header' });
    } else if (newest === undefined || high > newest.high || (high === newest.high && low > newest.low)) {
      newest = { blockNumber, high, low };
    }
  }
  return {
    damaged,
    newest: newest && {
      blockNumber: newest.blockNumber,
      lsn: toLsn((BigInt(newest.high) << 32n) | BigInt(newest.low)),
    },
  };
}

function isPossibleHeader(view: DataView, offset: number): boolean {
  const lower = view.getUint16(offset + lowerOffset, true);
  const upper = view.getUint16(offset + upperOffset, true);
  const special = view.getUint16(offset + specialOffset, true);
  const isOrdered = headerSizeBytes <= lower && lower <= upper && upper <= special && special <= pageSizeBytes;
  return isOrdered && view.getUint16(offset + sizeAndVersionOffset, true) === sizeAndVersion;
}

import { pageChecksum, pageChecksumOffset, pageSizeBytes } from '../../src/postgres/page-checksum.ts';

/** A heap page with this content, sealed with its checksum as block so-and-so of its fork. */
export function dataPage(blockNumber: number, { lsn = 0x100_0000n, fill = 1 } = {}): Buffer {
  const page = Buffer.alloc(pageSizeBytes);
  page.fill(fill, 4096);
  page.writeUInt32LE(Number(lsn >> 32n), 0);
  page.writeUInt32LE(Number(lsn & 0xffff_ffffn), 4);
  page.writeUInt16LE(24, 12);
  page.writeUInt16LE(4096, 14);
  page.writeUInt16LE(pageSizeBytes, 16);
  page.writeUInt16LE(pageSizeBytes | 4, 18);
  page.writeUInt16LE(pageChecksum(page, blockNumber), pageChecksumOffset);
  return page;
}

/** A file of such pages, from this block of the fork on. */
export function dataPages(count: number, firstBlock = 0): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => dataPage(firstBlock + index)));
}

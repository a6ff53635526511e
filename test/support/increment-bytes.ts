import { pageSizeBytes } from '../../src/postgres/page-checksum.ts';

/** An increment as WAL-G stores it: the file had `fileSizeBytes`, and these pages of it have changed. */
export function incrementOf(fileSizeBytes: number | bigint, pages: ReadonlyMap<number, Uint8Array>): Buffer {
  const header = Buffer.alloc(16 + 4 * pages.size);
  header.write('wi1\x55', 'latin1');
  header.writeBigUInt64LE(BigInt(fileSizeBytes), 4);
  header.writeUInt32LE(pages.size, 12);
  for (const [index, block] of [...pages.keys()].entries()) header.writeUInt32LE(block, 16 + 4 * index);
  return Buffer.concat([header, ...pages.values()]);
}

/** The pages of a file that a delta takes: changed since that LSN by their headers, or never used. */
export function changedPages(file: Buffer, sinceLsn: bigint): Map<number, Buffer> {
  const pages = new Map<number, Buffer>();
  for (let offset = 0; offset < file.length; offset += pageSizeBytes) {
    const lsn = (BigInt(file.readUInt32LE(offset)) << 32n) | BigInt(file.readUInt32LE(offset + 4));
    const isUnused = file.readUInt16LE(offset + 14) === 0;
    if (isUnused || lsn >= sinceLsn) {
      pages.set(offset / pageSizeBytes, file.subarray(offset, offset + pageSizeBytes));
    }
  }
  return pages;
}

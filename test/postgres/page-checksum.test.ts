import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pageChecksum, pageSizeBytes } from '../../src/postgres/page-checksum.ts';

/** Block 3 of a table, as the server wrote it. */
function realPage(major: 14 | 18): Buffer {
  return readFileSync(new URL(`../fixtures/pages/postgresql-${major}-heap-block-3`, import.meta.url));
}

describe('pageChecksum', () => {
  it.for([14, 18] as const)('agrees with PostgreSQL %i', (major) => {
    const page = realPage(major);
    expect(pageChecksum(page, 3)).toBe(page.readUInt16LE(8));
  });

  it('differs for another block number, also beyond the first file of a relation', () => {
    const page = realPage(18);
    const checksums = [0, 3, 131_072, 131_075, 4_294_967_294].map((block) => pageChecksum(page, block));
    expect(new Set(checksums).size).toBe(5);
    for (const checksum of checksums) expect(checksum).toBeGreaterThan(0);
  });

  it('does not depend on the checksum that the page carries', () => {
    const page = realPage(14);
    const expected = pageChecksum(page, 3);
    page.writeUInt16LE(0x1234, 8);
    expect(pageChecksum(page, 3)).toBe(expected);
  });

  it('notices every flipped bit of a page', () => {
    const page = realPage(14);
    const expected = pageChecksum(page, 3);
    for (let byte = 0; byte < pageSizeBytes; byte += 1) {
      if (byte === 8 || byte === 9) continue;
      page[byte] = (page[byte] ?? 0) ^ (1 << (byte % 8));
      expect(pageChecksum(page, 3), `byte ${byte}`).not.toBe(expected);
      page[byte] = (page[byte] ?? 0) ^ (1 << (byte % 8));
    }
  });

  it('reads pages that do not begin at a word', () => {
    const shifted = Buffer.concat([Buffer.alloc(3), realPage(18)]).subarray(3);
    expect(pageChecksum(shifted, 3)).toBe(shifted.readUInt16LE(8));
  });

  it.for([0, 8191, 8193])('refuses %i bytes', (length) => {
    expect(() => pageChecksum(new Uint8Array(length), 0)).toThrow(RangeError);
  });
});

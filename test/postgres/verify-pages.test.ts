import { describe, expect, it } from 'vitest';
import { type Lsn, parseLsn } from '../../src/postgres/lsn.ts';
import { pageChecksum, pageSizeBytes } from '../../src/postgres/page-checksum.ts';
import { verifyPages } from '../../src/postgres/verify-pages.ts';

interface PageParts {
  readonly lsn?: string;
  readonly lower?: number;
  readonly upper?: number;
  readonly special?: number;
  readonly sizeAndVersion?: number;
}

const startLsn = parseLsn('5/40000028');
const [beforeStart, afterStart] = ['5/40000020', '5/40000028'];

/** A page with a fitting checksum. */
function page(blockNumber: number, parts: PageParts = {}): Buffer {
  const bytes = Buffer.alloc(pageSizeBytes);
  const lsn = parseLsn(parts.lsn ?? beforeStart ?? '');
  bytes.writeUInt32LE(Number(lsn >> 32n), 0);
  bytes.writeUInt32LE(Number(lsn & 0xffff_ffffn), 4);
  bytes.writeUInt16LE(parts.lower ?? 28, 12);
  bytes.writeUInt16LE(parts.upper ?? 8000, 14);
  bytes.writeUInt16LE(parts.special ?? 8192, 16);
  bytes.writeUInt16LE(parts.sizeAndVersion ?? 0x2004, 18);
  bytes.fill(blockNumber & 0xff, 8000);
  bytes.writeUInt16LE(pageChecksum(bytes, blockNumber), 8);
  return bytes;
}

function damage(bytes: Buffer, offset = 8100): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
}

function verify(
  firstBlock: number,
  pages: readonly Uint8Array[],
  start: Lsn = startLsn,
): ReturnType<typeof verifyPages> {
  return verifyPages(Buffer.concat(pages), firstBlock, start);
}

describe('verifyPages', () => {
  it('accepts pages whose checksum fits their place in the fork', () => {
    expect(verify(131_072, [page(131_072), page(131_073)])).toEqual({ damaged: [], newest: undefined });
  });

  it('names the damaged pages by their block in the fork', () => {
    const pages = [damage(page(131_072)), page(131_073), damage(page(131_074), 30)];
    expect(verify(131_072, pages).damaged).toEqual([
      { blockNumber: 131_072, damage: 'checksum' },
      { blockNumber: 131_074, damage: 'checksum' },
    ]);
  });

  it('notices pages that have changed places', () => {
    expect(verify(7, [page(8), page(7)]).damaged).toHaveLength(2);
  });

  it('passes over pages that were never written', () => {
    expect(verify(0, [Buffer.alloc(pageSizeBytes), page(1)]).damaged).toEqual([]);
  });

  it('notices a page that only looks as if it was never written', () => {
    expect(verify(0, [page(0, { upper: 0 })]).damaged).toEqual([{ blockNumber: 0, damage: 'header' }]);
  });

  it('leaves a page that was changed since the backup began to the WAL', () => {
    const changed = damage(page(3, { lsn: afterStart ?? '' }));
    expect(verify(3, [changed])).toEqual({ damaged: [], newest: { blockNumber: 3, lsn: startLsn } });
    expect(verify(3, [damage(page(3, { lsn: '6/0' }))]).damaged).toEqual([]);
    expect(verify(3, [damage(page(3, { lsn: '4/FFFFFFFF' }))]).damaged).toHaveLength(1);
    expect(verify(3, [damage(page(3, { lsn: '5/40000027' }))]).damaged).toHaveLength(1);
  });

  it('compares the halves of an LSN as unsigned numbers', () => {
    const late = parseLsn('FFFFFFFF/80000000');
    expect(verify(0, [damage(page(0, { lsn: 'FFFFFFFF/7FFFFFFF' }))], late).damaged).toHaveLength(1);
    expect(verify(0, [damage(page(0, { lsn: 'FFFFFFFF/80000001' }))], late).damaged).toEqual([]);
  });

  it('says which changed page is the newest', () => {
    const lsns = ['6/10', '7/5', '6/20', '7/9', '7/8', '7/9'];
    const pages = lsns.map((lsn, index) => page(index, { lsn }));
    expect(verify(0, pages).newest).toEqual({ blockNumber: 3, lsn: parseLsn('7/9') });
  });

  it.for<[string, PageParts]>([
    ['another page size', { sizeAndVersion: 0x4004 }],
    ['another layout', { sizeAndVersion: 0x2003 }],
    ['free space that begins within the header', { lower: 20 }],
    ['free space that ends before it begins', { lower: 200, upper: 100 }],
    ['a special part before the free space', { upper: 8000, special: 7000 }],
    ['a special part beyond the page', { special: 8193 }],
  ])('notices a changed page whose header has %s', ([, parts]) => {
    expect(verify(9, [page(9, { lsn: '6/0', ...parts })])).toEqual({
      damaged: [{ blockNumber: 9, damage: 'header' }],
      newest: undefined,
    });
  });

  it('does not look behind the last whole page', () => {
    expect(verify(0, [page(0), damage(page(1)).subarray(0, 8191)]).damaged).toEqual([]);
    expect(verify(0, [])).toEqual({ damaged: [], newest: undefined });
  });
});

import { describe, expect, it } from 'vitest';
import { createPageVerifier } from '../../src/backup/check-pages.ts';
import { createContext } from '../../src/context.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import { dataPage, dataPages } from '../support/data-pages.ts';
import { fakeClock } from '../support/fake-clock.ts';

const startLsn = toLsn(0x200_0000n);
const pageBytes = 8192;

/** A piece of a file of which this is on the disk, and that was in the buffer when it was first read. */
function piece(path: string, bytes: Buffer, onDisk: Buffer = Buffer.from(bytes), positionBytes = 0) {
  const file = {
    status: {} as never,
    read: async (buffer: Uint8Array, position: number) => {
      buffer.fill(0);
      const offset = position - positionBytes;
      buffer.set(onDisk.subarray(offset, offset + buffer.byteLength));
    },
    [Symbol.dispose]: () => undefined,
  };
  return { path, bytes, file, positionBytes };
}

function flipped(pages: Buffer, ...blocks: number[]): Buffer {
  const copy = Buffer.from(pages);
  for (const block of blocks) copy.writeUInt8(99, block * pageBytes + 5000);
  return copy;
}

describe('the check of data pages', () => {
  it('finds the damaged blocks of a relation', async () => {
    const { check } = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    expect(await check(piece('base/5/16384', flipped(dataPages(10), 3, 7)))).toEqual([3, 7]);
    expect(await check(piece('base/5/16384', dataPages(10)))).toEqual([]);
  });

  it('counts blocks from the start of the file, also in the middle of a later file of the relation', async () => {
    const { check } = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    const pages = dataPages(4, 131_072 + 256);
    const inMiddle = piece('base/5/16384.1', flipped(pages, 2), undefined, 256 * pageBytes);
    expect(await check(inMiddle)).toEqual([258]);
  });

  it('looks at global, at databases and at tablespaces, and at nothing else', async () => {
    const { check } = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    const damaged = flipped(dataPages(1), 0);
    const paths = ['global/1262', 'base/5/1_fsm', 'pg_tblspc/16385/PG_18_202506291/5/16390'];
    for (const path of paths) expect(await check(piece(path, damaged)), path).toEqual([0]);
    const others = ['global/pg_filenode.map', 'PG_VERSION', 'pg_xact/0000', 'base/16384', 'base/5/x', 'extra/5/16384'];
    for (const path of others) expect(await check(piece(path, damaged)), path).toEqual([]);
  });

  it('reads a page again that was caught in the middle of a write, and keeps what it then reads', async () => {
    const whole = dataPages(5);
    const torn = piece('base/5/16384', flipped(whole, 4), whole);
    const clock = fakeClock();
    const { check } = createPageVerifier(startLsn, createContext({ clock }));
    expect(await check(torn)).toEqual([]);
    expect(torn.bytes.equals(whole)).toBe(true);
    expect(clock.sleeps).toEqual([50]);
  });

  it('takes a page for sound that has been cut off meanwhile', async () => {
    const whole = dataPages(5);
    const { check } = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    expect(await check(piece('base/5/16384', flipped(whole, 4), whole.subarray(0, 4 * pageBytes)))).toEqual([]);
  });

  it('leaves a page alone that has been written since the backup began', async () => {
    const torn = dataPage(0, { lsn: 0x200_0028n });
    torn.writeUInt8(99, 5000);
    const verifier = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    expect(await verifier.check(piece('base/5/16384', torn))).toEqual([]);
    expect(verifier.findImpossible(toLsn(0x200_0100n))).toEqual([]);
  });

  it('finds a page that claims to be newer than the end of the backup', async () => {
    const verifier = createPageVerifier(startLsn, createContext({ clock: fakeClock() }));
    const pages = Buffer.concat([dataPage(0, { lsn: 0x200_0050n }), dataPage(1, { lsn: 0x7_0000_0000n })]);
    await verifier.check(piece('base/5/16384', pages));
    await verifier.check(piece('base/5/16384', dataPage(2, { lsn: 0x200_0060n }), undefined, 2 * pageBytes));
    expect(verifier.findImpossible(toLsn(0x200_0100n))).toEqual([{ path: 'base/5/16384', block: 1 }]);
  });

  it('ends with an abort while it waits', async () => {
    const signal = AbortSignal.abort(new Error('interrupted'));
    const { check } = createPageVerifier(startLsn, createContext({ signal }));
    await expect(check(piece('base/5/16384', flipped(dataPages(1), 0)))).rejects.toThrow();
  });
});

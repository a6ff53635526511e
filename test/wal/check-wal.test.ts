import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { parseWalFileName, type WalFileName } from '../../src/postgres/wal-name.ts';
import { checkedWal, checkStart, startSizeBytes } from '../../src/wal/check-wal.ts';
import { inChunks, joined } from '../support/byte-streams.ts';
import { makeSegment, testSystemIdentifier } from '../support/wal-segment.ts';

const fileName = '000000010000000000000002';
const mib = 1024 * 1024;
const cluster = { systemIdentifier: testSystemIdentifier, segmentSizeBytes: mib };
const history = '1\t0/5000000\tno recovery target specified\n';
const backupHistory = `START WAL LOCATION: 0/200028 (file ${fileName})\nCHECKPOINT LOCATION: 0/200060\nSTOP WAL LOCATION: 0/200100 (file ${fileName})\n`;

function nameOf(text: string): WalFileName {
  const name = parseWalFileName(text);
  if (name === undefined) throw new Error(`no WAL file name: ${text}`);
  return name;
}

function check(text: string, bytes: Uint8Array, expected = {}): void {
  const name = nameOf(text);
  checkStart(name, bytes.subarray(0, startSizeBytes(name)), bytes.length, expected);
}

describe('checkStart', () => {
  it('accepts what the names say', () => {
    check(fileName, makeSegment({ fileName }), { cluster });
    check(`${fileName}.partial`, makeSegment({ fileName }), { cluster });
    check('000000020000000000000002', makeSegment({ fileName: '000000020000000000000002', timeline: 1 }));
    check('00000002.history', Buffer.from(history));
    check(`${fileName}.00000028.backup`, Buffer.from(backupHistory));
  });

  it.each([
    ['an empty file', fileName, new Uint8Array(), {}],
    ['a segment that is cut short', fileName, makeSegment({ fileName }).subarray(0, mib - 1), {}],
    ['a segment that has grown', fileName, Buffer.concat([makeSegment({ fileName }), Buffer.alloc(1)]), {}],
    ['a segment of zeros', fileName, new Uint8Array(mib), {}],
    ['a segment of another cluster', fileName, makeSegment({ fileName, systemIdentifier: 1n }), { cluster }],
    ['a segment with another number', fileName, makeSegment({ fileName: '000000010000000000000003' }), {}],
    [
      'a segment of a size that the cluster does not have',
      fileName,
      makeSegment({ fileName, segmentSizeBytes: 2 * mib }),
      { cluster },
    ],
    ['a segment of an unknown PostgreSQL', fileName, makeSegment({ fileName, magic: 0xd999 }), {}],
    [
      'a partial segment of another cluster',
      `${fileName}.partial`,
      makeSegment({ fileName, systemIdentifier: 1n }),
      { cluster },
    ],
    ['an empty history', '00000002.history', new Uint8Array(), {}],
    ['a history that names a later timeline', '00000002.history', Buffer.from(history.replace('1', '3')), {}],
    ['a history of rubbish', '00000002.history', Buffer.from('rubbish'), {}],
    ['a history of two MiB', '00000002.history', Buffer.alloc(2 * mib, history), {}],
    ['an empty backup history', `${fileName}.00000028.backup`, new Uint8Array(), {}],
    [
      'a backup history of another segment',
      `${fileName}.00000028.backup`,
      Buffer.from(backupHistory.replaceAll(fileName, '000000010000000000000003')),
      {},
    ],
  ])('refuses %s, naming the file', (_what, name, bytes, expected) => {
    expect(() => check(name, bytes, expected)).toThrow(IntegrityError);
    expect(() => check(name, bytes, expected)).toThrow(name.split('.')[0]);
  });

  it('accepts an unknown PostgreSQL when told to', () => {
    check(fileName, makeSegment({ fileName, magic: 0xd999 }), { acceptUnknownMagic: true });
  });
});

describe('checkedWal', () => {
  async function pass(text: string, bytes: Uint8Array, lengths = [100_000], expected = {}): Promise<Buffer> {
    return await joined(checkedWal(nameOf(text), inChunks(bytes, ...lengths), expected));
  }

  it('passes the bytes on, however they are cut', async () => {
    const segment = makeSegment({ fileName, segmentSizeBytes: 2 * mib, content: Buffer.from('content') });
    const lengths = fc.array(fc.integer({ min: 1, max: mib }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(lengths, async (sizes) => {
        const first = Math.max(...sizes);
        expect((await pass(fileName, segment, [...sizes, first])).equals(segment)).toBe(true);
      }),
      { numRuns: 20 },
    );
    expect((await pass('00000002.history', Buffer.from(history), [1])).toString()).toBe(history);
  });

  it.each([
    [
      'ends early',
      makeSegment({ fileName }).subarray(0, mib - 1),
      `WAL file ${fileName} ends after 1048575 of 1048576 bytes`,
    ],
    ['ends within the header', makeSegment({ fileName }).subarray(0, 30), fileName],
    ['is empty', new Uint8Array(), 'is empty'],
    ['is of another cluster', makeSegment({ fileName, systemIdentifier: 1n }), 'system identifier'],
    [
      'has another size than the cluster',
      makeSegment({ fileName, segmentSizeBytes: 2 * mib }),
      'segments have 1048576',
    ],
  ])('refuses a segment that %s', async (_what, bytes, words) => {
    await expect(pass(fileName, bytes, [100_000], { cluster })).rejects.toThrow(IntegrityError);
    await expect(pass(fileName, bytes, [100_000], { cluster })).rejects.toThrow(words);
  });

  it('stops at the first byte too many, however many follow', async () => {
    let passedBytes = 0;
    let isClosed = false;
    async function* endless() {
      try {
        yield makeSegment({ fileName });
        for (;;) yield new Uint8Array(mib);
      } finally {
        isClosed = true;
      }
    }
    const read = async () => {
      for await (const chunk of checkedWal(nameOf(fileName), endless(), {})) passedBytes += chunk.length;
    };
    await expect(read()).rejects.toThrow(`goes on after the 1048576 bytes`);
    expect(passedBytes).toBe(mib);
    expect(isClosed).toBe(true);
  });

  it('refuses an endless history', async () => {
    async function* endless() {
      for (;;) yield Buffer.alloc(100_000, history);
    }
    await expect(joined(checkedWal(nameOf('00000002.history'), endless(), {}))).rejects.toThrow(IntegrityError);
  });
});

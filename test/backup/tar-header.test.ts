import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { encodeTarHeader, type TarEntry, tarBlockBytes, tarPaddingBytes } from '../../src/backup/tar-header.ts';
import { toByteString } from '../../src/util/byte-string.ts';

const file: TarEntry = {
  name: '/base/1/259',
  kind: 'file',
  sizeBytes: 0,
  mode: 0o600,
  userId: 101,
  groupId: 102,
  modifiedSeconds: 1_795_244_854,
};

/** What tar-stream reads from the header alone. */
async function readBack(entry: TarEntry) {
  const extractor = extract({ filenameEncoding: 'latin1' } as object);
  const header = new Promise<Record<string, unknown>>((resolve, reject) => {
    extractor.once('entry', (read) => resolve(read as unknown as Record<string, unknown>));
    extractor.once('error', reject);
  });
  extractor.write(Buffer.from(encodeTarHeader(entry)));
  const read = await header;
  extractor.destroy();
  return read as {
    name: string;
    size: number;
    type: string;
    uid: number;
    gid: number;
    mtime: Date;
    pax: Record<string, string> | null;
  };
}

describe('a tar header', () => {
  it('equals the one that WAL-G writes for the same file, byte for byte', () => {
    const header = Buffer.from(
      encodeTarHeader({
        ...file,
        name: '/base/1/112',
        sizeBytes: 8192,
        groupId: 101,
        userName: 'postgres',
        groupName: 'postgres',
        modifiedSeconds: 0o15300241465,
      }),
    );
    const expected = Buffer.alloc(512);
    expected.write('/base/1/112');
    expected.write('0000600\x000000145\x000000145\x0000000020000\x0015300241465\x00', 100);
    expected.write('0', 156);
    expected.write('ustar\x0000', 257);
    expected.write('postgres', 265);
    expected.write('postgres', 297);
    expected.write('0000000\x000000000\x00', 329);
    expected.fill(' ', 148, 156);
    const sum = expected.reduce((total, byte) => total + byte, 0);
    expected.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148);
    expect(header.equals(expected)).toBe(true);
  });

  it('leaves out the name of an account that does not fit', async () => {
    const names = { userName: 'a'.repeat(32), groupName: 'Büro' };
    expect(Buffer.from(encodeTarHeader({ ...file, ...names })).equals(encodeTarHeader(file))).toBe(true);
    expect(await readBack({ ...file, userName: 'a'.repeat(31) })).toMatchObject({ uname: 'a'.repeat(31), gname: '' });
  });

  it('marks a directory by its type alone, without a trailing slash', () => {
    const header = Buffer.from(encodeTarHeader({ ...file, name: '/base/1', kind: 'directory' }));
    expect(header.toString('latin1', 0, 8)).toBe('/base/1\0');
    expect(header.toString('latin1', 156, 157)).toBe('5');
  });

  it('reads back with any name, size and time', async () => {
    const text = fc.stringMatching(/^[a-z0-9_ äß=\\]{1,120}$/u);
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 4 }),
        fc.nat({ max: 2 ** 40 }),
        fc.integer({ min: -1000, max: 2 ** 34 }),
        fc.nat({ max: 2 ** 31 }),
        async (parts, sizeBytes, modifiedSeconds, userId) => {
          const name = toByteString(`/${parts.join('/')}`);
          const read = await readBack({ ...file, name, sizeBytes, modifiedSeconds, userId });
          const readName = read.pax?.['path'] === undefined ? Buffer.from(read.name, 'latin1').toString() : read.name;
          expect(readName).toBe(Buffer.from(name, 'latin1').toString());
          expect(read.size).toBe(sizeBytes);
          if (read.pax?.['mtime'] === undefined) expect(read.mtime.getTime()).toBe(modifiedSeconds * 1000);
          else expect(read.pax['mtime']).toBe(String(modifiedSeconds));
          expect(Number(read.pax?.['uid'] ?? read.uid)).toBe(userId);
        },
      ),
    );
  });

  it('keeps the leading slash of a name that is cut into prefix and name', () => {
    const name = `/${'d'.repeat(60)}/${'f'.repeat(60)}`;
    const header = Buffer.from(encodeTarHeader({ ...file, name }));
    expect(header).toHaveLength(tarBlockBytes);
    expect(header.toString('latin1', 345, 345 + 61)).toBe(`/${'d'.repeat(60)}`);
    expect(header.toString('latin1', 0, 60)).toBe('f'.repeat(60));
  });

  it('gives a name that is not UTF-8 as the bytes that it is', () => {
    const header = Buffer.from(encodeTarHeader({ ...file, name: '/base/1/\xff\xfe' }));
    expect(header).toHaveLength(tarBlockBytes);
    expect(header.subarray(0, 11).equals(Buffer.from('/base/1/\xff\xfe\0', 'latin1'))).toBe(true);
  });

  it('gives a file of 8 GiB its size in a pax record', async () => {
    expect((await readBack({ ...file, sizeBytes: 8 * 1024 ** 3 })).size).toBe(8 * 1024 ** 3);
  });
});

describe('the padding of an entry', () => {
  it('fills up to the next block of 512 bytes', () => {
    expect([0, 1, 511, 512, 513].map(tarPaddingBytes)).toEqual([0, 511, 1, 0, 511]);
  });
});

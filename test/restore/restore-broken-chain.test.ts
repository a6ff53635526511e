import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { filesMetadataKey, partsPrefix } from '../../src/repository/layout.ts';
import { incrementOf } from '../support/increment-bytes.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { backupName as full, type TarMember } from '../support/stored-backup.ts';
import { first, increment, page, pages, storeChain, storeLink } from '../support/stored-chain.ts';

const restoring = setUpRestoring();

const file = '/base/1/16384';

async function expectRefusal(message: string, backup = 'LATEST'): Promise<void> {
  const refused = restoring.restore({ backup });
  await expect(refused).rejects.toThrow(IntegrityError);
  await expect(refused).rejects.toThrow(message);
  expect(readdirSync(restoring.folder)).toEqual([]);
}

describe('a chain that is not whole', () => {
  it('is refused when a delta has no list of files', async () => {
    await storeChain(restoring.repository, { whole: { [file]: 'a' } }, { unchanged: [file], hasList: false });
    await expectRefusal(`${filesMetadataKey(first)}, which says what it takes from its parent, is missing`);
  });

  it('is refused when a file is in no part of the backup from which it comes', async () => {
    await storeChain(restoring.repository, { whole: { '/other': 'a' } }, { unchanged: [file] });
    await expectRefusal(`${first} takes "base/1/16384" from its parent ${full}, which does not hold it`);
    await storeLink(restoring.repository, full, 2, { whole: { '/other': 'a' }, hasList: false });
    await restoring.store.delete([filesMetadataKey(full)]);
    await expectRefusal('files that are in none of its parts: base/1/16384', first);
  });

  it('is refused when a part that is needed is missing', async () => {
    await storeChain(restoring.repository, { whole: { [file]: 'a' } }, { unchanged: [file] });
    await restoring.store.delete([`${partsPrefix(full)}part_001.tar.zst`]);
    await expectRefusal(`${partsPrefix(full)}part_001.tar, which belongs to the backup, is missing`);
  });

  it.each<[string, Buffer, string]>([
    ['with another magic', Buffer.from('wi2\x55'.padEnd(16, '\0')), 'does not begin as one'],
    ['that is cut off in its header', increment(2, {}).subarray(0, 12), 'does not begin as one'],
    [
      'that claims more pages than it has',
      Buffer.concat([
        increment(2, { 0: 'b' }).subarray(0, 12),
        Buffer.from([2, 0, 0, 0]),
        increment(2, { 0: 'b' }).subarray(16),
      ]),
      'an increment of 2 pages, with 8212 bytes instead of 16408',
    ],
    [
      'that claims four billion pages',
      Buffer.concat([increment(2, {}).subarray(0, 12), Buffer.alloc(4, 0xff)]),
      'an increment of 4294967295 pages',
    ],
    ['with a block behind the end of the file', increment(2, { 2: 'b' }), 'with block 2 of a file that has 2'],
    ['of a file of half a page', incrementOf(4096, new Map()), 'an increment of a file of 4096 bytes'],
    ['of a file of 2^64 - 1 bytes', incrementOf(2n ** 64n - 1n, new Map()), 'of a file of 18446744073709551615 bytes'],
    ['of a file that is larger than any', incrementOf(8192n * 131_073n, new Map()), 'which no relation'],
    ['that is cut off in a page', increment(2, { 0: 'b' }).subarray(0, 5000), 'with 5000 bytes instead of 8212'],
    [
      'that is followed by something',
      Buffer.concat([increment(2, { 0: 'b' }), Buffer.alloc(1)]),
      'with 8213 bytes instead of 8212',
    ],
    [
      'with a block twice',
      Buffer.concat([
        incrementOf(
          16_384,
          new Map([
            [0, page('b')],
            [1, page('b')],
          ]),
        ).subarray(0, 20),
        Buffer.alloc(4),
        pages('bb'),
      ]),
      'has a block twice',
    ],
    ['in the place of a whole file', page('b'), 'does not begin as one'],
  ])('is refused with an increment %s', async (_what, bytes, message) => {
    await storeChain(restoring.repository, { whole: { [file]: pages('aa') } }, { pages: { [file]: bytes } });
    await expectRefusal(message);
    await expect(restoring.restore()).rejects.toThrow(
      `memory://${partsPrefix(first)}part_001.tar.zst holds "base/1/16384"`,
    );
  });

  it('is refused when a file comes twice', async () => {
    const twice = { name: file, content: increment(2, { 1: 'x' }) };
    await storeChain(
      restoring.repository,
      { whole: { [file]: pages('aa') } },
      { pages: { [file]: increment(2, { 0: 'b' }) }, unlisted: [twice] },
    );
    const refused = restoring.restore({ jobs: 1 });
    await expect(refused).rejects.toThrow('part_002.tar.zst holds "base/1/16384", which has come before');
    expect(readdirSync(restoring.folder)).toEqual([]);
  });

  it('is refused when a list has two names for one file', async () => {
    await storeChain(restoring.repository, { whole: { [file]: 'a', [file.slice(1)]: 'a' } }, { unchanged: [file] });
    await expectRefusal(`${full} lists "base/1/16384" twice`);
  });

  it('is refused when the configuration is an increment', async () => {
    const path = '/postgresql.auto.conf';
    await storeChain(restoring.repository, { whole: { [path]: pages('a') } }, { pages: { [path]: increment(1, {}) } });
    await expectRefusal('holds "postgresql.auto.conf" as an increment');
  });

  it.each<[string, TarMember]>([
    ['a name that leads out', { name: '../outside', content: 'x' }],
    ['a link out', { name: 'base/link', type: 'symlink', linkname: '/etc' }],
    ['a device', { name: 'base/1/zero', type: 'character-device' }],
  ])('is refused when a parent holds %s', async (_what, member) => {
    await storeChain(restoring.repository, { whole: { [file]: 'a' }, unlisted: [member] }, { unchanged: [file] });
    await expectRefusal('part_002.tar');
  });
});

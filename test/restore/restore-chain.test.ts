import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContext, silentLogger } from '../../src/context.ts';
import { IntegrityError } from '../../src/errors.ts';
import { formatLsn, toLsn } from '../../src/postgres/lsn.ts';
import { filesMetadataKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { incrementOf } from '../support/increment-bytes.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { backupName as full, labelText, storeBackup, type TarMember } from '../support/stored-backup.ts';

const restoring = setUpRestoring();

const first = 'base_000000010000000000000004_D_000000010000000000000002';
const second = 'base_000000010000000000000006_D_000000010000000000000004';

const page = (fill: string) => Buffer.alloc(8192, fill);
const pages = (fills: string) => Buffer.concat([...fills].map(page));
/** An increment of a file of so many pages; the pages that it has, by block. */
const increment = (blockCount: number, changed: Readonly<Record<number, string>>) =>
  incrementOf(blockCount * 8192, new Map(Object.entries(changed).map(([block, fill]) => [Number(block), page(fill)])));

interface Link {
  /** Whole files by name. */
  readonly whole?: Readonly<Record<string, string | Buffer>>;
  readonly pages?: Readonly<Record<string, Buffer>>;
  readonly unchanged?: readonly string[];
  /** Members that the list of files does not have. */
  readonly unlisted?: readonly TarMember[];
  /** Undefined for a complete list of parts; null for none. */
  readonly parts?: Readonly<Record<string, readonly string[]>> | null;
  readonly hasList?: boolean;
}

async function storeLink(name: string, segment: number, link: Link, parent?: { name: string; count: number }) {
  const startLsn = toLsn(BigInt(segment) * 0x100_0000n + 0x28n);
  const stored = { ...link.whole, ...link.pages };
  const members = [
    { name: '/', type: 'directory' as const, mode: 0o700 },
    ...Object.entries(stored).map(([path, content]) => ({ name: path, content, mtime: new Date(segment * 1000) })),
  ];
  const at = formatLsn(startLsn);
  await storeBackup(restoring.repository, {
    name,
    manifest: null,
    parts: [members, [...(link.unlisted ?? [])]],
    label: [
      { name: 'backup_label', content: labelText.replace('0/2000028', at) },
      { name: 'tablespace_map', content: '' },
    ],
    sentinel: {
      startLsn,
      finishLsn: toLsn(startLsn + 0x100n),
      parent: parent && { ...parent, fullName: full, startLsn: toLsn(BigInt(segment - 2) * 0x100_0000n + 0x28n) },
    },
  });
  if (link.hasList === false) return;
  const entry = (flags: object) => ({
    IsIncremented: false,
    IsSkipped: false,
    MTime: '2026-01-02T03:04:05Z',
    ...flags,
  });
  const list = {
    Files: {
      '/': entry({}),
      ...Object.fromEntries(Object.keys(link.whole ?? {}).map((path) => [path, entry({})])),
      ...Object.fromEntries(Object.keys(link.pages ?? {}).map((path) => [path, entry({ IsIncremented: true })])),
      ...Object.fromEntries((link.unchanged ?? []).map((path) => [path, entry({ IsSkipped: true })])),
    },
    ...(link.parts === null
      ? {}
      : { TarFileSets: link.parts ?? { 'part_001.tar.zst': ['/', ...Object.keys(stored)] } }),
  };
  await restoring.store.put(filesMetadataKey(name), Buffer.from(JSON.stringify(list)));
}

async function storeChain(...[fullLink, firstLink, secondLink]: readonly [Link, Link, Link?]): Promise<void> {
  await storeLink(full, 2, fullLink);
  await storeLink(first, 4, firstLink, { name: full, count: 1 });
  if (secondLink !== undefined) await storeLink(second, 6, secondLink, { name: first, count: 2 });
}

const file = '/base/1/16384';
const restored = (path = file) => readFileSync(join(restoring.directory, path)).toString();

async function expectRefusal(message: string, backup = 'LATEST'): Promise<void> {
  const refused = restoring.restore({ backup });
  await expect(refused).rejects.toThrow(IntegrityError);
  await expect(refused).rejects.toThrow(message);
  expect(readdirSync(restoring.folder)).toEqual([]);
}

describe('a chain of deltas', () => {
  it('gives each page of its newest backup that has it', async () => {
    await storeChain(
      { whole: { [file]: pages('aaaaa'), '/old': 'gone', '/PG_VERSION': '18\n' } },
      { pages: { [file]: increment(5, { 1: 'b', 2: 'b' }) }, unchanged: ['/PG_VERSION'] },
      { pages: { [file]: increment(6, { 2: 'c', 5: 'c' }) }, unchanged: ['/PG_VERSION'], whole: { '/new': 'n' } },
    );
    await restoring.restore();
    expect(restored()).toBe(pages('abcaac').toString());
    expect(restored('/PG_VERSION')).toBe('18\n');
    expect(restored('/new')).toBe('n');
    expect(existsSync(join(restoring.directory, 'old'))).toBe(false);
    expect(statSync(join(restoring.directory, file)).mtimeMs).toBe(6000);
    expect(restoring.read('backup_label')).toContain('0/6000028');
  });

  it('takes nothing of a file from before it was cut', async () => {
    await storeChain(
      { whole: { [file]: pages('aaaa') } },
      { pages: { [file]: increment(1, {}) } },
      { pages: { [file]: increment(4, { 1: 'c' }) } },
    );
    const warnings: unknown[] = [];
    const log = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) };
    await restoreBackup(restoring.repository, restoring.options(), createContext({ log }));
    expect(restored()).toBe(pages('ac\0\0').toString());
    const fields = { pageCount: 2, fileCount: 1, files: ['base/1/16384'] };
    expect(warnings).toEqual([[fields, 'pages that no backup of the chain holds are left empty']]);
  });

  it('leaves pages of an unlogged relation empty without a word', async () => {
    const init = { '/base/1/16384_init': '' };
    await storeChain(
      { whole: { [file]: pages('a'), ...init } },
      { pages: { [file]: increment(3, {}) }, unchanged: Object.keys(init) },
    );
    const log = { ...silentLogger, warn: () => expect.unreachable() };
    await restoreBackup(restoring.repository, restoring.options(), createContext({ log }));
    expect(restored()).toBe(pages('a\0\0').toString());
  });

  it('is as if every delta had been laid over its parent, whatever its files went through', async () => {
    const blocks = fc.array(fc.boolean(), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(blocks, blocks, blocks, async (inFull, inFirst, inSecond) => {
        const changed = (present: boolean[], fill: string) =>
          Object.fromEntries(present.flatMap((isThere, block) => (isThere ? [[block, fill]] : [])));
        const over = (fills: string, present: boolean[], fill: string) =>
          present.map((isThere, block) => (isThere ? fill : (fills[block] ?? '\0'))).join('');
        const base = inFull.map(() => 'a').join('');
        await storeChain(
          { whole: { [file]: pages(base) } },
          { pages: { [file]: increment(inFirst.length, changed(inFirst, 'b')) } },
          { pages: { [file]: increment(inSecond.length, changed(inSecond, 'c')) } },
        );
        const directory = join(restoring.folder, `run-${Math.random()}`);
        await restoring.restore({ directory });
        const expected = pages(over(over(base, inFirst, 'b'), inSecond, 'c'));
        expect(readFileSync(join(directory, file)).equals(expected)).toBe(true);
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('takes a held file from where it is', async () => {
    await storeChain(
      { whole: { '/postgresql.auto.conf': "work_mem = '9MB'\n" } },
      { unchanged: ['/postgresql.auto.conf'] },
    );
    await restoring.restore();
    expect(restoring.read('postgresql.auto.conf')).toContain("work_mem = '9MB'");
  });

  it('fetches no part of which nothing is taken', async () => {
    await storeChain({ whole: { [file]: 'old' } }, { whole: { [file]: 'new' } });
    const store = faultyStore(restoring.store);
    await restoring.restore({}, createRepository(store, restoring.repository.codec));
    expect(restored()).toBe('new');
    const fetched = store.calls.filter(({ member, key }) => member === 'get' && key.startsWith(partsPrefix(full)));
    expect(fetched).toEqual([]);
  });

  it.each<[string, NonNullable<Link['parts']> | null]>([
    ['absent', null],
    ['empty', {}],
    ['incomplete', { 'part_001.tar.zst': ['/'] }],
  ])('fetches all parts of a parent whose list of parts is %s', async (_what, parts) => {
    await storeChain(
      { whole: { [file]: pages('aa'), '/x': 'x' }, parts },
      { pages: { [file]: increment(2, { 0: 'b' }) }, unchanged: ['/x'] },
    );
    await restoring.restore();
    expect(restored()).toBe(pages('ba').toString());
    expect(restored('/x')).toBe('x');
  });

  it('may stand on a full backup without a list of files', async () => {
    await storeChain(
      { whole: { [file]: pages('aa') }, hasList: false },
      { pages: { [file]: increment(2, { 0: 'b' }) } },
    );
    await restoring.restore();
    expect(restored()).toBe(pages('ba').toString());
  });

  it('may have its list of files in the sentinel, as the first generation of WAL-G had', async () => {
    await storeChain({ whole: { [file]: pages('aa') } }, { pages: { [file]: increment(2, { 0: 'b' }) } });
    for (const name of [full, first]) {
      const [list, sentinel] = await Promise.all(
        [filesMetadataKey(name), sentinelKey(name)].map(async (key) =>
          Buffer.concat(await Array.fromAsync((await restoring.store.get(key)).body)).toString(),
        ),
      );
      await restoring.store.delete([filesMetadataKey(name)]);
      await restoring.store.put(sentinelKey(name), Buffer.from(`${list?.slice(0, -1)},${sentinel?.slice(1)}`));
    }
    await restoring.restore({ backup: first });
    expect(restored()).toBe(pages('ba').toString());
  });

  it('may have parts of any name, as the composers of WAL-G give them', async () => {
    await storeChain(
      { whole: { [file]: pages('aa') }, parts: { 'copy_1.tar.zst': ['/', file] } },
      { pages: { [file]: increment(2, { 0: 'b' }) } },
    );
    const [from, to] = ['part_001.tar.zst', 'copy_1.tar.zst'].map((name) => partsPrefix(full) + name);
    const { body } = await restoring.store.get(from ?? '');
    await restoring.store.put(to ?? '', Buffer.concat(await Array.fromAsync(body)));
    await restoring.store.delete([from ?? '', `${partsPrefix(full)}part_002.tar.zst`]);
    await restoring.restore();
    expect(restored()).toBe(pages('ba').toString());
  });

  it('leaves out a file that the delta does not list', async () => {
    await storeChain(
      { whole: { [file]: 'a' } },
      { unchanged: [file], unlisted: [{ name: '/unlisted', content: 'x' }] },
    );
    await restoring.restore();
    expect(existsSync(join(restoring.directory, 'unlisted'))).toBe(false);
  });

  it('whose newest delta cannot be restored does not keep LATEST from the one before', async () => {
    await storeChain({ whole: { [file]: 'a' } }, { unchanged: [file] }, { unchanged: [file] });
    await restoring.store.delete([sentinelKey(first)]);
    await expect(restoring.restore({ backup: second })).rejects.toThrow(
      `delta upon ${first}, which is not in the repository`,
    );
    expect(existsSync(restoring.directory)).toBe(false);
    expect((await restoring.restore()).plan.backup.name).toBe(full);
  });
});

describe('a chain that is not whole', () => {
  it('is refused when a delta has no list of files', async () => {
    await storeChain({ whole: { [file]: 'a' } }, { unchanged: [file], hasList: false });
    await expectRefusal(`${filesMetadataKey(first)}, which says what it takes from its parent, is missing`);
  });

  it('is refused when a file is in no part of the backup from which it comes', async () => {
    await storeChain({ whole: { '/other': 'a' } }, { unchanged: [file] });
    await expectRefusal(`${first} takes "base/1/16384" from its parent ${full}, which does not hold it`);
    await storeLink(full, 2, { whole: { '/other': 'a' }, hasList: false });
    await restoring.store.delete([filesMetadataKey(full)]);
    await expectRefusal('files that are in none of its parts: base/1/16384', first);
  });

  it('is refused when a part that is needed is missing', async () => {
    await storeChain({ whole: { [file]: 'a' } }, { unchanged: [file] });
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
    await storeChain({ whole: { [file]: pages('aa') } }, { pages: { [file]: bytes } });
    await expectRefusal(message);
    await expect(restoring.restore()).rejects.toThrow(
      `memory://${partsPrefix(first)}part_001.tar.zst holds "base/1/16384"`,
    );
  });

  it('is refused when a file comes twice', async () => {
    const twice = { name: file, content: increment(2, { 1: 'x' }) };
    await storeChain(
      { whole: { [file]: pages('aa') } },
      { pages: { [file]: increment(2, { 0: 'b' }) }, unlisted: [twice] },
    );
    const refused = restoring.restore({ jobs: 1 });
    await expect(refused).rejects.toThrow('part_002.tar.zst holds "base/1/16384", which has come before');
    expect(readdirSync(restoring.folder)).toEqual([]);
  });

  it('is refused when a list has two names for one file', async () => {
    await storeChain({ whole: { [file]: 'a', [file.slice(1)]: 'a' } }, { unchanged: [file] });
    await expectRefusal(`${full} lists "base/1/16384" twice`);
  });

  it('is refused when the configuration is an increment', async () => {
    const path = '/postgresql.auto.conf';
    await storeChain({ whole: { [path]: pages('a') } }, { pages: { [path]: increment(1, {}) } });
    await expectRefusal('holds "postgresql.auto.conf" as an increment');
  });

  it.each<[string, TarMember]>([
    ['a name that leads out', { name: '../outside', content: 'x' }],
    ['a link out', { name: 'base/link', type: 'symlink', linkname: '/etc' }],
    ['a device', { name: 'base/1/zero', type: 'character-device' }],
  ])('is refused when a parent holds %s', async (_what, member) => {
    await storeChain({ whole: { [file]: 'a' }, unlisted: [member] }, { unchanged: [file] });
    await expectRefusal('part_002.tar');
  });
});

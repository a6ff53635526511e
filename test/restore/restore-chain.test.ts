import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContext, silentLogger } from '../../src/context.ts';
import { StoreError } from '../../src/errors.ts';
import { filesMetadataKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { faultyStore } from '../support/faulty-store.ts';
import { setUpRestoring } from '../support/restoring.ts';
import { backupName as full } from '../support/stored-backup.ts';
import { first, increment, type Link, pages, second, storeChain } from '../support/stored-chain.ts';

const restoring = setUpRestoring();

const file = '/base/1/16384';
const restored = (path = file) => readFileSync(join(restoring.directory, path)).toString();

describe('a chain of deltas', () => {
  it('gives each page of its newest backup that has it', async () => {
    await storeChain(
      restoring.repository,
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
      restoring.repository,
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
      restoring.repository,
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
          restoring.repository,
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
  });

  it('takes a held file from where it is', async () => {
    await storeChain(
      restoring.repository,
      { whole: { '/postgresql.auto.conf': "work_mem = '9MB'\n" } },
      { unchanged: ['/postgresql.auto.conf'] },
    );
    await restoring.restore();
    expect(restoring.read('postgresql.auto.conf')).toContain("work_mem = '9MB'");
  });

  it('fetches no part of which nothing is taken', async () => {
    await storeChain(restoring.repository, { whole: { [file]: 'old' } }, { whole: { [file]: 'new' } });
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
      restoring.repository,
      { whole: { [file]: pages('aa'), '/x': 'x' }, parts },
      { pages: { [file]: increment(2, { 0: 'b' }) }, unchanged: ['/x'] },
    );
    await restoring.restore();
    expect(restored()).toBe(pages('ba').toString());
    expect(restored('/x')).toBe('x');
  });

  it('may stand on a full backup without a list of files', async () => {
    await storeChain(
      restoring.repository,
      { whole: { [file]: pages('aa') }, hasList: false },
      { pages: { [file]: increment(2, { 0: 'b' }) } },
    );
    await restoring.restore();
    expect(restored()).toBe(pages('ba').toString());
  });

  it('may have its list of files in the sentinel, as the first generation of WAL-G had', async () => {
    await storeChain(
      restoring.repository,
      { whole: { [file]: pages('aa') } },
      { pages: { [file]: increment(2, { 0: 'b' }) } },
    );
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
      restoring.repository,
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
      restoring.repository,
      { whole: { [file]: 'a' } },
      { unchanged: [file], unlisted: [{ name: '/unlisted', content: 'x' }] },
    );
    await restoring.restore();
    expect(existsSync(join(restoring.directory, 'unlisted'))).toBe(false);
  });

  it('leaves nothing behind when the store fails at any call', async () => {
    await storeChain(
      restoring.repository,
      { whole: { [file]: pages('aaa'), '/x': 'x' } },
      { pages: { [file]: increment(3, { 1: 'b' }) }, unchanged: ['/x'] },
      { pages: { [file]: increment(3, { 2: 'c' }) }, unchanged: ['/x'] },
    );
    const counting = faultyStore(restoring.store);
    const directory = join(restoring.folder, 'first');
    await restoring.restore({ directory }, createRepository(counting, restoring.repository.codec));
    rmSync(directory, { recursive: true });
    for (let call = 1; call <= counting.calls.length; call += 1) {
      const failing = faultyStore(restoring.store, { kind: 'fail', call });
      await expect(restoring.restore({}, createRepository(failing, restoring.repository.codec))).rejects.toThrow(
        StoreError,
      );
      expect(readdirSync(restoring.folder)).toEqual([]);
    }
  });

  it('whose newest delta cannot be restored does not keep LATEST from the one before', async () => {
    await storeChain(restoring.repository, { whole: { [file]: 'a' } }, { unchanged: [file] }, { unchanged: [file] });
    await restoring.store.delete([sentinelKey(first)]);
    await expect(restoring.restore({ backup: second })).rejects.toThrow(
      `delta upon ${first}, which is not in the repository`,
    );
    expect(existsSync(restoring.directory)).toBe(false);
    expect((await restoring.restore()).plan.backup.name).toBe(full);
  });
});

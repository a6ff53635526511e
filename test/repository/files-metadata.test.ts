import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { type FileMetadata, readFilesMetadata } from '../../src/repository/files-metadata.ts';
import { readFileList } from '../support/file-list.ts';
import { liveMemoryBytes } from '../support/live-memory.ts';

const folder = new URL(
  '../fixtures/walg/zstd-deltas/repo/basebackups_005/base_000000010000000000000002/',
  import.meta.url,
);
const theirs = readFileSync(new URL('files_metadata.json', folder));

const file: FileMetadata = {
  isIncremented: false,
  isSkipped: false,
  modifiedTime: '2026-11-21T07:07:34.022060827Z',
  corruptBlocks: undefined,
};

describe("a backup's file list", () => {
  it('of WAL-G is read with its files, directories and parts', async () => {
    const read = await readFileList(theirs, 'files_metadata.json');
    expect(read.files.size).toBe(1004);
    expect(read.files.get('/base/5/2755')).toEqual(file);
    expect(read.files.has('/')).toBe(true);
    expect([...read.parts.keys()].sort()).toEqual([
      'backup_label.tar.zst',
      'part_001.tar.zst',
      'part_002.tar.zst',
      'part_003.tar.zst',
    ]);
    expect(read.parts.get('backup_label.tar.zst')).toEqual(['tablespace_map', 'backup_label']);
  });

  it('is the same wherever the chunks end', async () => {
    expect(await readFileList(theirs, 'theirs', 7)).toEqual(await readFileList(theirs));
  });

  it('of a delta tells what is skipped and what is stored by its pages', async () => {
    const delta = readFileSync(
      new URL('../base_000000010000000000000006_D_000000010000000000000004/files_metadata.json', folder),
    );
    const { files } = await readFileList(delta);
    const named = (pick: (entry: FileMetadata) => boolean) =>
      [...files].filter(([, entry]) => pick(entry)).map(([name]) => name);
    expect(named(({ isSkipped }) => isSkipped).length).toBe(973);
    expect(named(({ isIncremented }) => isIncremented).sort()).toEqual([
      '/base/5/16385',
      '/base/5/16391',
      '/pg_tblspc/16384/PG_18_202506291/5/16393',
    ]);
  });

  it('keeps every character of a name', async () => {
    const names = ['/a"b\\c', '/ü/日本', '/\u2028', '/\ttab', '/<&>'];
    const entries = names.map((name) => [name, { MTime: 'x' }]);
    const json = JSON.stringify({
      Files: Object.fromEntries(entries),
      TarFileSets: { 'part_001.tar': names, empty: [], none: null },
    });
    const escaped = json.replaceAll('<', '\\u003c');
    const { files, parts } = await readFileList(Buffer.from(escaped), 'list', 5);
    expect([...files.keys()]).toEqual(names);
    expect(Object.fromEntries(parts)).toEqual({ 'part_001.tar': names, empty: [], none: [] });
  });

  it('takes no more memory when it is longer', async () => {
    const entry = (index: number) => `"/base/1/${index}":{"MTime":"2026-11-21T07:07:34.022060827Z"},`;
    let highestBytes = 0;
    async function* list(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"Files":{');
      for (let chunk = 0; chunk < 200; chunk += 1) {
        yield Buffer.from(Array.from({ length: 500 }, (_, index) => entry(chunk * 500 + index)).join(''));
        if (chunk % 50 === 49) highestBytes = Math.max(highestBytes, liveMemoryBytes());
      }
      yield Buffer.from('"/":{"MTime":""}}}');
    }
    const before = liveMemoryBytes();
    let count = 0;
    await readFilesMetadata(list(), 'list', { onFile: () => (count += 1), onPart: () => undefined });
    expect(count).toBe(100_001);
    expect(highestBytes - before).toBeLessThan(2 * 1024 * 1024);
  });

  it.each([
    ['{"Files":{"/a":{"IsIncremented":0,"MTime":""}}}', 'Files./a: IsIncremented'],
    ['{"Files":{"/a":{}}}', 'Files./a: MTime'],
    ['{"Files":{"/a":{"MTime":""},}}', 'a name should be'],
    ['{"Files":{"/a":{"MTime" ""}}}', 'Files./a: '],
    ['{"Files":{"/a":[]}}', 'Files./a'],
    ['{"Files":[]}', 'Files is not an object'],
    ['{"TarFileSets":{"part_001.tar":"/a"}}', 'TarFileSets.part_001.tar: not a list of names'],
    ['{"TarFileSets":{"part_001.tar":["/a" "/b"]}}', 'not a list of names'],
    ['{"TarFileSets":{"part_001.tar":["/a",]}}', 'not a list of names'],
    ['{"TarFileSets":{"part_001.tar":["/a",7]}}', 'not a list of names'],
    ['{"TarFileSets":{"part_001.tar":["/a"]]}}', 'list is not JSON'],
    ['{"Files":{', 'it is cut off'],
  ])('is refused when it is damaged: %s', async (json, message) => {
    const refused = readFileList(Buffer.from(json), 'list');
    await expect(refused).rejects.toThrow(IntegrityError);
    await expect(refused).rejects.toThrow(/^list is /);
    await expect(refused).rejects.toThrow(message);
  });
});

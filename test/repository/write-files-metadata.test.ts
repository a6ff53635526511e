import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FileMetadata } from '../../src/repository/files-metadata.ts';
import { type DatabaseRelations, formatFilesMetadata } from '../../src/repository/write-files-metadata.ts';
import { joined } from '../support/byte-streams.ts';
import { readFileList } from '../support/file-list.ts';

const theirs = readFileSync(
  new URL(
    '../fixtures/walg/zstd-deltas/repo/basebackups_005/base_000000010000000000000002/files_metadata.json',
    import.meta.url,
  ),
);

interface TheirDatabase {
  readonly oid: number;
  readonly tables_new: Readonly<Record<string, { readonly oid: number; readonly relfilenode: number }>>;
}

async function format(
  files: Iterable<readonly [string, FileMetadata]>,
  parts: Iterable<readonly [string, Iterable<string>]>,
  databases: readonly DatabaseRelations[] = [],
): Promise<string> {
  const source = { files: () => files, parts: () => parts, databases: () => databases };
  return (await joined(formatFilesMetadata(source))).toString();
}

const file: FileMetadata = {
  isIncremented: false,
  isSkipped: false,
  modifiedTime: '2026-11-21T07:07:34.022060827Z',
  corruptBlocks: undefined,
};

describe("a backup's file list", () => {
  it('is written as WAL-G would: the same content read from either is equal', async () => {
    const read = await readFileList(theirs, 'theirs');
    const json: { DatabasesByNames: Record<string, TheirDatabase> } = JSON.parse(theirs.toString());
    const databases = Object.entries(json.DatabasesByNames).map(([name, { oid, tables_new }]) => {
      const relations = Object.entries(tables_new).map(([relation, { oid, relfilenode }]) => {
        return { name: relation, oid, fileNode: relfilenode, inherits: false };
      });
      return { name, oid, relations };
    });
    const ours = await format(read.files, read.parts, databases);
    expect(await readFileList(Buffer.from(ours), 'ours')).toEqual(read);
    expect(JSON.parse(ours)).toEqual(json);
    expect(ours.length).toBe(theirs.toString().length);
  });

  it('tells of corrupt blocks, at most ten by number and all by count', async () => {
    const blocks = Array.from({ length: 12 }, (_, block) => block);
    const text = await format([['/base/5/1', { ...file, corruptBlocks: { count: 12, blocks } }]], []);
    expect(JSON.parse(text).Files['/base/5/1'].CorruptBlocks).toEqual({
      CorruptBlocksCount: 12,
      SomeCorruptBlocks: blocks.slice(0, 10),
    });
  });

  it('names relations below the one from which they inherit', async () => {
    const relation = (name: string, oid: number, inherits = false) => ({ name, oid, fileNode: oid * 10, inherits });
    const relations = [
      relation('public.alone', 1),
      relation('public.root', 2),
      relation('public.root_1', 3, true),
      relation('other."_2', 4, true),
      relation('public.last', 5),
      relation('public.last_1', 6, true),
    ];
    const databases = [
      { name: 'empty', oid: 7, relations: [] },
      { name: 'b"1', oid: 4_294_967_295, relations },
    ];
    const { DatabasesByNames } = JSON.parse(await format([], [], databases));
    const node = (oid: number) => ({ oid, relfilenode: oid * 10 });
    expect(DatabasesByNames).toEqual({
      empty: { oid: 7, tables_new: {} },
      'b"1': {
        oid: 4_294_967_295,
        tables_new: {
          'public.alone': node(1),
          'public.root': { ...node(2), subtables: { 'public.root_1': node(3), 'other."_2': node(4) } },
          'public.last': { ...node(5), subtables: { 'public.last_1': node(6) } },
        },
      },
    });
  });

  it('of an empty backup has empty objects, never null', async () => {
    expect(await format([], [])).toBe('{"Files":{},"TarFileSets":{}}');
    expect(await format([], [['part_001.tar.zst', []]])).toContain('"part_001.tar.zst":[]');
  });

  it('is streamed in bounded pieces', async () => {
    const names = Array.from({ length: 50_000 }, (_, index) => `/base/5/${index}`);
    const relations = names.map((name, oid) => ({ name, oid, fileNode: oid, inherits: oid > 0 }));
    const source = {
      files: () => names.map((name) => [name, file] as const),
      parts: () => [['part_001.tar', names]] as const,
      databases: () => [{ name: 'postgres', oid: 5, relations }],
    };
    const chunks = await Array.fromAsync(formatFilesMetadata(source));
    expect(Math.max(...chunks.map((chunk) => chunk.byteLength))).toBeLessThan(300_000);
    expect((await readFileList(Buffer.concat(chunks), 'ours')).files.size).toBe(50_000);
  });
});

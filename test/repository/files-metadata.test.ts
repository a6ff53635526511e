import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import {
  type FileMetadata,
  formatFilesMetadata,
  formatFileTime,
  parseFilesMetadata,
} from '../../src/repository/files-metadata.ts';

const theirs = readFileSync(
  new URL(
    '../fixtures/walg/zstd-deltas/repo/basebackups_005/base_000000010000000000000002/files_metadata.json',
    import.meta.url,
  ),
);

async function format(files: Iterable<readonly [string, FileMetadata]>, parts: Iterable<readonly [string, string[]]>) {
  return Buffer.concat(
    await Array.fromAsync(formatFilesMetadata({ files: () => files, parts: () => parts })),
  ).toString();
}

const file: FileMetadata = {
  isIncremented: false,
  isSkipped: false,
  modifiedTime: '2026-11-21T07:07:34.022060827Z',
  corruptBlocks: undefined,
};

describe("a backup's file list", () => {
  it('of WAL-G is read with its files, directories and parts', () => {
    const read = parseFilesMetadata(theirs, 'files_metadata.json');
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

  it('is written as WAL-G would: the same content read from either is equal', async () => {
    const read = parseFilesMetadata(theirs, 'theirs');
    const ours = await format(read.files, read.parts as ReadonlyMap<string, string[]>);
    expect(parseFilesMetadata(Buffer.from(ours), 'ours')).toEqual(read);
    const { Files, TarFileSets } = JSON.parse(theirs.toString());
    expect(JSON.parse(ours)).toEqual({ Files, TarFileSets, DatabasesByNames: {} });
  });

  it('tells of corrupt blocks, at most ten by number and all by count', async () => {
    const blocks = Array.from({ length: 12 }, (_, block) => block);
    const text = await format([['/base/5/1', { ...file, corruptBlocks: { count: 12, blocks } }]], []);
    expect(JSON.parse(text).Files['/base/5/1'].CorruptBlocks).toEqual({
      CorruptBlocksCount: 12,
      SomeCorruptBlocks: blocks.slice(0, 10),
    });
  });

  it('of an empty backup has empty objects, never null', async () => {
    expect(await format([], [])).toBe('{"Files":{},"TarFileSets":{},"DatabasesByNames":{}}');
    expect(await format([], [['part_001.tar.zst', []]])).toContain('"part_001.tar.zst":[]');
  });

  it('is streamed in bounded pieces', async () => {
    const names = Array.from({ length: 50_000 }, (_, index) => `/base/5/${index}`);
    const source = {
      files: () => names.map((name) => [name, file] as const),
      parts: () => [['part_001.tar', names]] as const,
    };
    const chunks = await Array.fromAsync(formatFilesMetadata(source));
    expect(Math.max(...chunks.map((chunk) => chunk.byteLength))).toBeLessThan(300_000);
    expect(parseFilesMetadata(Buffer.concat(chunks), 'ours').files.size).toBe(50_000);
  });

  it('with a damaged entry is refused', () => {
    const json = '{"Files":{"/base/5/1":{"IsIncremented":0,"MTime":"2026-11-21T07:07:34Z"}},"TarFileSets":{}}';
    expect(() => parseFilesMetadata(Buffer.from(json), 'files_metadata.json')).toThrow(IntegrityError);
  });
});

describe('the time of a file', () => {
  it.each([
    [0n, '1970-01-01T00:00:00Z'],
    [1_795_244_854_022_060_827n, '2026-11-21T07:07:34.022060827Z'],
    [1_795_244_854_500_000_000n, '2026-11-21T07:07:34.5Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
  ])('%s ns is written with all its digits', (modifiedNs, text) => {
    expect(formatFileTime(modifiedNs)).toBe(text);
  });

  it('keeps every nanosecond', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_102_444_800_000_000_000n }), (modifiedNs) => {
        const text = formatFileTime(modifiedNs);
        const [seconds = '', fraction = ''] = text.slice(0, -1).split('.');
        const back = BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
        expect(back).toBe(modifiedNs);
      }),
    );
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import type { FileMetadata } from '../../src/repository/files-metadata.ts';
import { readFileList } from '../support/file-list.ts';

const theirs = readFileSync(
  new URL(
    '../fixtures/walg/zstd-deltas/repo/basebackups_005/base_000000010000000000000002/files_metadata.json',
    import.meta.url,
  ),
);

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

  it('with a damaged entry is refused', async () => {
    const json = '{"Files":{"/base/5/1":{"IsIncremented":0,"MTime":"2026-11-21T07:07:34Z"}},"TarFileSets":{}}';
    await expect(readFileList(Buffer.from(json))).rejects.toThrow(IntegrityError);
  });
});

import { describe, expect, it } from 'vitest';
import { describeFiles, formatManifest, manifestFiles, type PackedFiles } from '../../src/backup/describe-files.ts';
import { createFileRecords, directoryMark } from '../../src/backup/file-records.ts';
import { createCodec } from '../../src/codec/codecs.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import { readManifest } from '../../src/postgres/read-manifest.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { formatFilesMetadata } from '../../src/repository/write-files-metadata.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { toByteString } from '../../src/util/byte-string.ts';
import { joined } from '../support/byte-streams.ts';
import { readFileList } from '../support/file-list.ts';

const repository = createRepository(createMemoryStore(), createCodec('zstd'));
const modifiedNs = 1_795_244_854_022_060_827n;

/** A directory, two files in two parts, one of them empty, and one that has vanished. */
function packed(): PackedFiles {
  const paths = ['', 'base/1', toByteString('straße'), 'base/gone'];
  const records = createFileRecords(paths.length);
  records.set(0, { sizeBytes: 0, modifiedNs, checksum: '', corruptBlocks: [] });
  records.set(1, { sizeBytes: 8192, modifiedNs, checksum: 'd4ac2984', corruptBlocks: [0] });
  records.set(2, { sizeBytes: 0, modifiedNs, checksum: '00000000', corruptBlocks: [] });
  const parts = [
    { number: 1, files: [0, 1] },
    { number: 2, files: [2, 3] },
  ];
  return { files: { paths, sizesBytes: [directoryMark, 8192, 0, 100] }, records, parts };
}

describe('the description of the packed files', () => {
  it('lists in the manifest every file that is in a part, and no directories', async () => {
    const header = { version: 2, systemIdentifier: 7_710_517_932_700_386_965n } as const;
    const walRange = { timeline: 1, startLsn: toLsn(0x200_0028n), endLsn: toLsn(0x200_0120n) };
    const listed: string[] = [];
    const manifest = await readManifest(
      formatManifest(header, manifestFiles(packed(), 'CRC32C'), [walRange]),
      ({ path, sizeBytes, modifiedAt, checksum }) => {
        listed.push(`${path} ${sizeBytes} ${modifiedAt.toISOString()} ${checksum?.hex}`);
      },
    );
    expect(listed).toEqual([
      'base/1 8192 2026-11-21T07:07:34.000Z d4ac2984',
      `${toByteString('straße')} 0 2026-11-21T07:07:34.000Z 00000000`,
    ]);
    expect(manifest.walRanges).toEqual([walRange]);
  });

  it('lists files and directories for WAL-G by the names that they have in their parts', async () => {
    const otherParts = new Map([['backup_label.tar.zst', ['backup_label', 'tablespace_map']]]);
    const bytes = await joined(formatFilesMetadata(describeFiles(packed(), repository, otherParts, [])));
    const { files, parts } = await readFileList(bytes, 'files_metadata.json');
    expect([...files.keys()]).toEqual(['/', '/base/1', '/straße']);
    expect(files.get('/base/1')).toEqual({
      isIncremented: false,
      isSkipped: false,
      modifiedTime: '2026-11-21T07:07:34.022060827Z',
      corruptBlocks: { count: 1, blocks: [0] },
    });
    expect(Object.fromEntries(parts)).toEqual({
      'part_001.tar.zst': ['/', '/base/1'],
      'part_002.tar.zst': ['/straße'],
      'backup_label.tar.zst': ['backup_label', 'tablespace_map'],
    });
  });

  it('streams the manifest of a hundred thousand files in bounded pieces', async () => {
    function* files() {
      for (let index = 0; index < 100_000; index += 1) {
        const checksum = { algorithm: 'CRC32C', hex: 'd4ac2984' } as const;
        yield { path: `base/5/${index}`, sizeBytes: 8192, modifiedAt: new Date(0), checksum };
      }
    }
    for await (const piece of formatManifest({ version: 1 }, files(), [])) {
      expect(piece.byteLength).toBeLessThan(300_000);
    }
  });
});

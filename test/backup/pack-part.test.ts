import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFileRecords, directoryMark } from '../../src/backup/file-records.ts';
import { type FilePiece, type PackSource, packPart } from '../../src/backup/pack-part.ts';
import { LocalFileError } from '../../src/errors.ts';
import { createFileChecksum } from '../../src/postgres/file-checksum.ts';
import { readTar } from '../../src/restore/tar-entries.ts';
import { bytesOf, toByteString } from '../../src/util/byte-string.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'seawall-pack-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, content: string | Uint8Array): string {
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), bytesOf(path)]), content);
  return path;
}

/** Packs these paths; a path that ends with a slash is a directory. */
function sourceOf(paths: string[], differing: Partial<PackSource> = {}): PackSource {
  const files = {
    paths: paths.map((path) => path.replace(/\/$/, '')),
    sizesBytes: paths.map((path) => (path.endsWith('/') || path === '' ? directoryMark : 0)),
  };
  return {
    dataDirectory: root,
    files,
    records: createFileRecords(paths.length),
    reuseBlocks: false,
    signal: new AbortController().signal,
    checksumAlgorithm: 'CRC32C',
    checkPages: async () => [],
    onRead: () => undefined,
    ...differing,
  };
}

function pack(source: PackSource) {
  return packPart([...source.files.paths.keys()], source);
}

async function unpack(tar: AsyncIterable<Uint8Array>) {
  const entries: { name: string; kind: string; mode: number; modifiedAt: Date; content: Buffer }[] = [];
  for await (const { name, kind, mode, modifiedAt, body } of readTar(tar, 'the part', true)) {
    entries.push({ name, kind, mode, modifiedAt, content: await joined(body) });
  }
  return entries;
}

/** Until what has been written is older than the clock of file times is coarse. */
async function afterATick(): Promise<void> {
  await delay(50);
}

function checksumOf(content: Uint8Array): string {
  const checksum = createFileChecksum('CRC32C');
  checksum.update(content);
  return checksum.digest();
}

describe('a part', () => {
  it('holds files and directories with their names, modes, times and content', async () => {
    mkdirSync(join(root, 'base'), { mode: 0o750 });
    write('base/1', 'content');
    chmodSync(join(root, 'base/1'), 0o640);
    utimesSync(join(root, 'base/1'), 0, 1_000_000_000);
    const entries = await unpack(pack(sourceOf(['', 'base/', 'base/1'])));
    expect(entries.map(({ name, kind, content }) => [name, kind, content.toString()])).toEqual([
      ['/', 'directory', ''],
      ['/base', 'directory', ''],
      ['/base/1', 'file', 'content'],
    ]);
    expect(entries[2]).toMatchObject({ mode: 0o640, modifiedAt: new Date('2001-09-09T01:46:40Z') });
  });

  it.each([0, 1, 511, 512, 513, 8191, 8192, 8193, 2 ** 21 - 512, 2 ** 21, 2 ** 21 + 1, 5_000_000])(
    'holds a file of %i bytes between two others',
    async (sizeBytes) => {
      const content = walLikeBytes(sizeBytes);
      const source = sourceOf([write('before', 'b'), write('file', content), write('after', 'a')]);
      await afterATick();
      const entries = await unpack(pack(source));
      expect(entries[1]?.content.equals(content)).toBe(true);
      expect(entries[2]?.content.toString()).toBe('a');
      const { mtimeNs } = statSync(join(root, 'file'), { bigint: true });
      expect(source.records.get(1)).toEqual({
        sizeBytes,
        modifiedNs: mtimeNs,
        checksum: checksumOf(content),
        corruptBlocks: [],
      });
    },
  );

  it('gives a file that was written to just now another time than its own, so that a delta does not skip it', async () => {
    const names = ['older', 'newer', 'future'].map((name) => write(name, 'x'));
    utimesSync(join(root, 'future'), 0, Date.now() / 1000 + 3600);
    await afterATick();
    write('newer', 'y');
    const writtenAtMs = statSync(join(root, 'newer')).mtime.getTime();
    using _now = vi.spyOn(Date, 'now').mockReturnValue(writtenAtMs);
    const source = sourceOf(names);
    await joined(pack(source));
    const differences = names.map((name, index) => {
      const { mtimeNs } = statSync(join(root, name), { bigint: true });
      return mtimeNs - (source.records.get(index)?.modifiedNs ?? 0n);
    });
    expect(differences).toEqual([0n, 1n, 1n]);
  });

  it('comes in blocks of 1 MiB but for the last, and never hands a page out in two pieces', async () => {
    const pieces: FilePiece[] = [];
    const checkPages = async (piece: FilePiece) => {
      pieces.push(piece);
      return [];
    };
    for (let index = 0; index < 30; index += 1) write(`small${index}`, Buffer.alloc(index * 700));
    const names = Array.from({ length: 30 }, (_, index) => `small${index}`);
    const source = sourceOf([...names, write('large', Buffer.alloc(5_000_000))], { checkPages });
    const blocks = await Array.fromAsync(pack(source));
    expect(blocks.slice(0, -1).every((block) => block.byteLength === 2 ** 20)).toBe(true);
    expect(pieces.every(({ positionBytes }) => positionBytes % 8192 === 0)).toBe(true);
    expect(await unpack(pack(source))).toHaveLength(31);
  });

  it('may use the memory of a block again once the next one has been taken', async () => {
    const content = walLikeBytes(9_000_000);
    const source = sourceOf([write('small', 's'), write('large', content)], { reuseBlocks: true });
    const memories = new Set<ArrayBufferLike>();
    const copies: Buffer[] = [];
    for await (const block of pack(source)) {
      memories.add(block.buffer);
      copies.push(Buffer.from(block));
    }
    expect(memories.size).toBe(2);
    expect((await unpack(inChunks(Buffer.concat(copies))))[1]?.content.equals(content)).toBe(true);
  });

  it('leaves out what has vanished, file or directory', async () => {
    const source = sourceOf(['gone/', 'gone/1', write('there', 'x'), 'gone2']);
    expect((await unpack(pack(source))).map(({ name }) => name)).toEqual(['/there']);
    expect([0, 1, 3].map((index) => source.records.get(index))).toEqual([undefined, undefined, undefined]);
  });

  it('of nothing but vanished files is an empty tar', async () => {
    expect(await joined(pack(sourceOf(['gone'])))).toEqual(Buffer.alloc(1024));
  });

  it('cuts a file that grows while it is read to the size at which it was opened', async () => {
    const content = walLikeBytes(3_000_000);
    const source = sourceOf([write('growing', content), write('next', 'n')], {
      onRead: () => write('growing', Buffer.concat([content, Buffer.alloc(1_000_000, 'more')])),
    });
    const entries = await unpack(pack(source));
    expect(entries.map((entry) => entry.content.byteLength)).toEqual([3_000_000, 1]);
    expect(source.records.get(0)).toMatchObject({ sizeBytes: 3_000_000, checksum: checksumOf(content) });
  });

  it.each([0, 2_500_000])('fills a file that shrinks to %i bytes with zeros, as the manifest says', async (remains) => {
    const content = walLikeBytes(5_000_000);
    let isFirst = true;
    const onRead = () => {
      if (isFirst) truncateSync(join(root, 'shrinking'), remains);
      isFirst = false;
    };
    const source = sourceOf([write('shrinking', content)], { onRead });
    const [entry] = await unpack(pack(source));
    const zeros = entry?.content.subarray(Math.max(remains, 2 ** 20)) ?? Buffer.alloc(0);
    expect(zeros.every((byte) => byte === 0)).toBe(true);
    expect(entry?.content).toHaveLength(5_000_000);
    expect(source.records.get(0)?.checksum).toBe(checksumOf(entry?.content ?? Buffer.alloc(0)));
  });

  it('records the checksum of what a second reading of a page gave', async () => {
    const checkPages = async ({ bytes }: FilePiece) => {
      bytes.set(Buffer.from('whole'));
      return [3];
    };
    const source = sourceOf([write('file', 'torn!')], { checkPages });
    expect((await unpack(pack(source)))[0]?.content.toString()).toBe('whole');
    expect(source.records.get(0)).toMatchObject({ checksum: checksumOf(Buffer.from('whole')), corruptBlocks: [3] });
  });

  it('can be packed again, and then describes the second attempt', async () => {
    const source = sourceOf([write('changing', 'first'), write('vanishing', 'x')]);
    await joined(pack(source));
    write('changing', 'second!');
    rmSync(join(root, 'vanishing'));
    await joined(pack(source));
    expect(source.records.get(0)).toMatchObject({ sizeBytes: 7, checksum: checksumOf(Buffer.from('second!')) });
    expect(source.records.get(1)).toBeUndefined();
  });

  it.each(['equals=sign', 'back\\slash', 'a space', 'ümläut', '新', 'tab\there', 'not utf-8 \xff\xfe'])(
    'keeps a name like %j',
    async (text) => {
      const name = text.includes('\xff') ? text : toByteString(text);
      const [entry] = await unpack(pack(sourceOf([write(name, 'x')])));
      expect(entry?.name).toBe(`/${name}`);
    },
  );

  it('fails when a file cannot be read, and names it', async () => {
    mkdirSync(join(root, 'directory-now'));
    const packing = joined(pack(sourceOf([write('fine', 'x')], {})));
    await packing;
    const failing = joined(
      pack({ ...sourceOf(['directory-now']), files: { paths: ['directory-now'], sizesBytes: [0] } }),
    );
    await expect(failing).rejects.toThrow(LocalFileError);
    await expect(failing).rejects.toThrow(`cannot read ${root}/directory-now`);
  });

  it('stops at an abort with its reason', async () => {
    const aborting = new AbortController();
    const onRead = () => aborting.abort(new Error('interrupted'));
    const source = sourceOf([write('file', Buffer.alloc(10_000_000))], { signal: aborting.signal, onRead });
    await expect(joined(pack(source))).rejects.toThrow('interrupted');
  });
});

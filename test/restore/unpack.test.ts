import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packContents } from '../../src/backup/tar-header.ts';
import { IntegrityError } from '../../src/errors.ts';
import { createDirectories } from '../../src/restore/directories.ts';
import { createManifestFiles, type ExpectedFiles } from '../../src/restore/expected-files.ts';
import { createFileSyncs } from '../../src/restore/file-syncs.ts';
import { createPatchedFiles } from '../../src/restore/patched-files.ts';
import { createPlacement, rootsOf } from '../../src/restore/placement.ts';
import { createPlannedFiles } from '../../src/restore/planned-files.ts';
import { unpackPart } from '../../src/restore/unpack.ts';
import { inChunks } from '../support/byte-streams.ts';

let folder: string;
let directory: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-unpack-'));
  directory = join(folder, 'data');
  mkdirSync(directory);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A tar of files whose names are byte strings. */
function tarOfFiles(files: Readonly<Record<string, string>>): Uint8Array {
  return packContents(
    Object.entries(files).map(([name, content]) => ({
      entry: {
        name,
        kind: 'file',
        sizeBytes: content.length,
        mode: 0o600,
        userId: 0,
        groupId: 0,
        modifiedSeconds: 1_700_000_000,
      },
      content: Buffer.from(content),
    })),
  );
}

async function unpack(tar: Uint8Array, expected: ExpectedFiles): Promise<ReadonlyMap<string, Buffer>> {
  const placement = createPlacement(directory, []);
  const held = new Map<string, Buffer>();
  const syncs = createFileSyncs();
  const directories = createDirectories(rootsOf(placement));
  try {
    const onBytes = () => undefined;
    const patched = createPatchedFiles({ directories, syncs, onBytes });
    const unpacking = {
      placement,
      expected,
      directories,
      syncs,
      patched,
      held,
      onBytes,
      onMissingPages: () => undefined,
    };
    await unpackPart(inChunks(tar, 1000), { objectName: 'part_001.tar', link: 0, haveEndMarks: true }, unpacking);
  } finally {
    await syncs.settle();
  }
  return held;
}

const anything = () =>
  createPlannedFiles(new Map(), {
    takeUnlisted: () => true,
    onUnlisted: () => undefined,
    signal: new AbortController().signal,
  });

describe('unpacking a part', () => {
  it('gives a name that is not UTF-8 its bytes when the manifest lists it', async () => {
    const expected = createManifestFiles();
    expected.add({ path: 'base/1/\xff', sizeBytes: 1, modifiedAt: new Date(0), checksum: undefined });
    await unpack(tarOfFiles({ '/base/1/\xff': 'x' }), expected);
    const names = readdirSync(join(directory, 'base/1'), { encoding: 'buffer' });
    expect(names).toEqual([Buffer.from([0xff])]);
    expect(expected.missing()).toEqual([]);
  });

  it('refuses a name that is not UTF-8 where there is no manifest', async () => {
    await expect(unpack(tarOfFiles({ '/base/1/\xff': 'x' }), anything())).rejects.toThrow(
      'part_001.tar holds a name that is not UTF-8: 626173652f312fff in hex',
    );
    expect(existsSync(join(directory, 'base'))).toBe(false);
  });

  it('holds the files that are written at the end', async () => {
    const held = await unpack(tarOfFiles({ '/global/pg_control': 'c', '/base/x': 'x', backup_label: 'l' }), anything());
    expect([...held.keys()]).toEqual(['global/pg_control', 'backup_label']);
    expect(readdirSync(directory)).toEqual(['base']);
  });

  it('takes no link for a directory, whoever made it', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(directory, 'base'));
    await expect(unpack(tarOfFiles({ '/base/x': 'x' }), anything())).rejects.toThrow(IntegrityError);
    expect(readdirSync(outside)).toEqual([]);
  });

  it('takes no link for a file, whoever made it', async () => {
    symlinkSync(join(folder, 'outside'), join(directory, 'x'));
    await expect(unpack(tarOfFiles({ '/x': 'x' }), anything())).rejects.toThrow('holds "x" in a place that is taken');
    expect(existsSync(join(folder, 'outside'))).toBe(false);
  });

  it('writes large files in whole, whatever the pieces in which they come', async () => {
    const content = 'abcdefg'.repeat(500_000);
    await unpack(tarOfFiles({ '/base/1/16384': content }), anything());
    expect(readFileSync(join(directory, 'base/1/16384'), 'utf8')).toBe(content);
  });

  it('refuses a held file that is too large for one', async () => {
    const content = '#'.repeat(17 * 1024 * 1024);
    await expect(unpack(tarOfFiles({ '/postgresql.auto.conf': content }), anything())).rejects.toThrow(
      'holds "postgresql.auto.conf" with 17825792 bytes',
    );
  });
});

describe('the files that a backup lists', () => {
  it('in a manifest come once', () => {
    const expected = createManifestFiles();
    expected.add({ path: 'base/Ã¼', sizeBytes: 1, modifiedAt: new Date(0), checksum: undefined });
    expect(expected.missing()).toEqual(['base/ü']);
    const file = { sizeBytes: 1, checksum: undefined };
    expect(expected.arrive('base/Ã¼', 0, 'part_001.tar')).toEqual({ form: 'file', expected: file });
    expect(() => expected.arrive('base/Ã¼', 0, 'part_001.tar')).toThrow(IntegrityError);
  });

  it('need not list WAL and tablespace_map in a manifest', () => {
    const expected = createManifestFiles();
    const unknown = { form: 'file', expected: undefined };
    expect(expected.arrive('pg_wal/000000010000000000000001', 0, 'part_001.tar')).toEqual(unknown);
    expect(expected.arrive('tablespace_map', 0, 'backup_label.tar')).toEqual(unknown);
    expect(() => expected.arrive('pg_walrus', 0, 'part_001.tar')).toThrow(IntegrityError);
  });
});

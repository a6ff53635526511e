import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFileAtomically } from '../../src/util/atomic-file.ts';
import { inChunks, walLikeBytes } from '../support/byte-streams.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-atomic-'));
  path = join(folder, 'file');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const bytes = walLikeBytes(5_000_000);

describe('an atomic write', () => {
  it.for([false, true])('writes bytes and streams of any size (ifAbsent: %s)', async (ifAbsent) => {
    for (const sizeBytes of [0, 1, 65_536, 1_048_576, bytes.length]) {
      const content = bytes.subarray(0, sizeBytes);
      for (const source of [content, () => inChunks(content, 7919, 300_000), () => inChunks(content, 2_000_000)]) {
        await writeFileAtomically(path, source, { ifAbsent });
        expect((await readFile(path)).equals(content)).toBe(true);
        await rm(path);
      }
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('replaces what is there, or fails with EEXIST when told to', async () => {
    await writeFile(path, 'old');
    await expect(writeFileAtomically(path, Buffer.from('new'), { ifAbsent: true })).rejects.toMatchObject({
      code: 'EEXIST',
    });
    expect(await readFile(path, 'utf8')).toBe('old');
    await writeFileAtomically(path, Buffer.from('new'));
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('gives the file the mode that it is told, less the umask', async () => {
    await writeFileAtomically(path, Buffer.from('x'), { mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves what was there, and no temporary file, when the content throws', async () => {
    await writeFile(path, 'old');
    const failure = new Error('the source is gone');
    const failing = async function* () {
      yield bytes;
      throw failure;
    };
    await expect(writeFileAtomically(path, failing)).rejects.toBe(failure);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves no temporary file when the name cannot be given', async () => {
    await mkdir(join(path, 'in-the-way'), { recursive: true });
    await expect(writeFileAtomically(path, bytes)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(writeFileAtomically(path, bytes, { ifAbsent: true })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('rejects with the reason of an abort and leaves nothing', async () => {
    const reason = new Error('told to stop');
    for (const isHanging of [false, true]) {
      const abort = new AbortController();
      const interrupted = async function* () {
        yield bytes;
        setTimeout(() => abort.abort(reason), 5);
        if (isHanging) await new Promise(() => undefined);
        for (;;) yield bytes;
      };
      await expect(writeFileAtomically(path, interrupted, { signal: abort.signal })).rejects.toBe(reason);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('needs the directory', async () => {
    let isCalled = false;
    const content = async function* () {
      isCalled = true;
      yield bytes;
    };
    await expect(writeFileAtomically(join(folder, 'missing/file'), content)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(isCalled).toBe(false);
  });
});

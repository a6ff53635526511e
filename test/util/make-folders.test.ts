import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolders } from '../../src/util/make-folders.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'seawall-folders-'));
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('making folders', () => {
  it('creates what is missing below the root, with the mode', async () => {
    await makeFolders(root, join(root, 'a/b/c'), 0o750);
    const stats = await stat(join(root, 'a/b/c'));
    expect(stats.isDirectory()).toBe(true);
    expect(stats.mode & 0o777 & ~0o750).toBe(0);
  });

  it('is content with what is there', async () => {
    await mkdir(join(root, 'a'));
    await makeFolders(root, join(root, 'a/b'), 0o750);
    await makeFolders(root, join(root, 'a/b'), 0o750);
    await makeFolders(root, root, 0o750);
    expect((await stat(join(root, 'a/b'))).isDirectory()).toBe(true);
  });

  it('never creates the root', async () => {
    for (const folder of ['missing/a', 'missing/a/b']) {
      await expect(makeFolders(join(root, 'missing'), join(root, folder), 0o750)).rejects.toThrow('ENOENT');
    }
    await expect(stat(join(root, 'missing'))).rejects.toThrow('ENOENT');
  });

  it('refuses to go through a file', async () => {
    await writeFile(join(root, 'a'), '');
    await expect(makeFolders(root, join(root, 'a/b'), 0o750)).rejects.toThrow('ENOTDIR');
  });

  it('may be done by many at once', async () => {
    const folders = Array.from({ length: 50 }, (_, index) => join(root, `a/b/c${index % 5}/d`));
    await Promise.all(folders.map((folder) => makeFolders(root, folder, 0o750)));
    expect((await stat(join(root, 'a/b/c4/d'))).isDirectory()).toBe(true);
  });
});

import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IntegrityError, LocalFileError } from '../../src/errors.ts';
import { openSourceFile } from '../../src/wal/source-file.ts';
import { joined, walLikeBytes } from '../support/byte-streams.ts';

let folder: string;
let path: string;
const bytes = walLikeBytes(2_500_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-source-'));
  path = join(folder, '000000010000000000000002');
  await writeFile(path, bytes);
});
afterEach(() => rm(folder, { recursive: true }));

describe('openSourceFile', () => {
  it('reads a file from its start, as often as it is asked', async () => {
    await using file = await openSourceFile(path);
    expect(file.sizeBytes).toBe(bytes.length);
    expect(await file.readStart(40)).toEqual(bytes.subarray(0, 40));
    expect((await file.readStart(1e9)).length).toBe(bytes.length);
    expect((await joined(file.read())).equals(bytes)).toBe(true);
    expect((await joined(file.read())).equals(bytes)).toBe(true);
  });

  it('reads an empty file', async () => {
    await writeFile(path, '');
    await using file = await openSourceFile(path);
    expect((await file.readStart(40)).length).toBe(0);
    expect((await joined(file.read())).length).toBe(0);
  });

  it.each([
    ['grows', () => appendFile(path, 'x')],
    ['shrinks', () => writeFile(path, bytes.subarray(0, 1_500_000))],
    ['is written to', () => writeFile(path, bytes).then(() => utimes(path, 1, 1))],
    ['is removed', () => rm(path)],
    ['is replaced by another', () => writeFile(`${path}.new`, bytes).then(() => rename(`${path}.new`, path))],
  ])('refuses a file that %s while it is read', async (_what, change) => {
    await using file = await openSourceFile(path);
    const chunks = file.read();
    await chunks.next();
    await change();
    await expect(joined(chunks)).rejects.toThrow(path);
  });

  it('names a changed file as such', async () => {
    await using file = await openSourceFile(path);
    await appendFile(path, 'x');
    await expect(joined(file.read())).rejects.toThrow(IntegrityError);
  });

  it('tells %f from a wrong path', async () => {
    await expect(openSourceFile(`${path}9`)).rejects.toMatchObject({
      hint: expect.stringContaining('working directory'),
    });
    await expect(openSourceFile('000000010000000000000002')).rejects.toMatchObject({
      constructor: LocalFileError,
      hint: expect.stringContaining('%p'),
    });
  });

  it('refuses what is no plain file, and waits for none', async () => {
    await mkdir(`${path}.d`);
    await expect(openSourceFile(`${path}.d`)).rejects.toThrow('not a plain file');
    execFileSync('sh', ['-c', 'mkfifo "$0"', `${path}.fifo`]);
    await expect(openSourceFile(`${path}.fifo`)).rejects.toThrow('not a plain file');
    await expect(openSourceFile(join(path, 'x'))).rejects.toThrow(LocalFileError);
  });
});

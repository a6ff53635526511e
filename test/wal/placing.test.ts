import { execFileSync } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/context.ts';
import { LocalFileError } from '../../src/errors.ts';
import { placeFile, sweepLeftovers } from '../../src/wal/placing.ts';
import { inChunks } from '../support/byte-streams.ts';

let folder: string;
let destination: string;
const { signal } = new AbortController();
const content = () => inChunks(Buffer.from('content'), 3);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-placing-'));
  destination = join(folder, 'RECOVERYXLOG');
});
afterEach(() => rm(folder, { recursive: true }));

describe('placeFile', () => {
  it('puts the file there, over one that is there', async () => {
    await writeFile(destination, 'old');
    await placeFile(destination, content, { signal });
    expect(await readFile(destination, 'utf8')).toBe('content');
    expect(await readdir(folder)).toEqual(['RECOVERYXLOG']);
  });

  it("writes under a name that PostgreSQL's tools skip", async () => {
    async function* watched() {
      yield Buffer.alloc(1);
      expect(await readdir(folder)).toEqual([expect.stringMatching(/^pgsql_tmp_seawall\./)]);
    }
    await placeFile(destination, watched, { signal });
  });

  it('leaves nothing behind when the content fails', async () => {
    const failure = new Error('no more');
    async function* failing() {
      yield Buffer.alloc(5_000_000);
      throw failure;
    }
    await expect(placeFile(destination, failing, { signal })).rejects.toBe(failure);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing behind when it is aborted', async () => {
    const controller = new AbortController();
    async function* slow() {
      yield Buffer.alloc(5);
      controller.abort();
      await new Promise(() => undefined);
    }
    await expect(placeFile(destination, slow, { signal: controller.signal })).rejects.toThrow(/aborted/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes the place of nothing but a file, such as a device', async () => {
    execFileSync('mkfifo', [destination]);
    await expect(placeFile(destination, content, { signal })).rejects.toThrow(LocalFileError);
    expect((await lstat(destination)).isFIFO()).toBe(true);
    expect(await readdir(folder)).toEqual(['RECOVERYXLOG']);
  });

  it('says what is wrong with a destination', async () => {
    await expect(placeFile(join(folder, 'no', 'file'), content, { signal })).rejects.toMatchObject({
      constructor: LocalFileError,
      message: expect.stringContaining('its directory does not exist'),
    });
    await mkdir(destination);
    await expect(placeFile(destination, content, { signal })).rejects.toThrow(LocalFileError);
    expect(await readdir(folder)).toEqual(['RECOVERYXLOG']);
  });
});

describe('sweepLeftovers', () => {
  it('removes what killed calls left, but nothing that may still be written and nothing of others', async () => {
    const temporary = (digit: string) => `pgsql_tmp_seawall.tmp.20260131T235959Z-000000000000000${digit}`;
    const others = ['000000010000000000000002', 'pgsql_tmp_seawall', 'x.tmp.20260131T235959Z-0000000000000001'];
    for (const name of [temporary('1'), temporary('2'), ...others]) await writeFile(join(folder, name), '');
    const longAgo = new Date(Date.now() - 3_600_000);
    for (const name of [temporary('1'), ...others]) await utimes(join(folder, name), longAgo, longAgo);
    await sweepLeftovers(destination, systemClock);
    expect((await readdir(folder)).sort()).toEqual([temporary('2'), ...others].sort());
  });

  it('is no failure where there is nothing to sweep', async () => {
    await sweepLeftovers(join(folder, 'no', 'file'), systemClock);
  });
});

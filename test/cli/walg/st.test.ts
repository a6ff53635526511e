import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../../support/seawall.ts';

const plain = 'the content of a file, again and again '.repeat(50);

let folder: string;
let repository: string;
let local: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-st-'));
  repository = join(folder, 'repository');
  mkdirSync(repository);
  local = join(folder, 'local');
  writeFileSync(local, plain);
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

async function st(...args: string[]) {
  const env = { WALG_FILE_PREFIX: repository, WALG_COMPRESSION_METHOD: 'zstd' };
  return await runSeawall(['wal-g', 'st', ...args], { env });
}

async function stEncrypted(...args: string[]) {
  const env = { WALG_FILE_PREFIX: repository, WALG_LIBSODIUM_KEY: 'a key of thirty-two bytes or more!' };
  return await runSeawall(['wal-g', 'st', ...args], { env });
}

const objectPath = (key: string) => join(repository, key);

describe('st put and get', () => {
  it('bring a file in and out, compressed on the way', async () => {
    expect(await st('put', local, 'some/file')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(objectPath('some/file.zst')).length).toBeLessThan(plain.length);
    const back = join(folder, 'back');
    expect(await st('get', '/some/file.zst', back)).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(readFileSync(back, 'utf8')).toBe(plain);
  });

  it('leave it as it is when told so', async () => {
    await st('put', '--no-compress', local, 'file');
    expect(readFileSync(objectPath('file'), 'utf8')).toBe(plain);
    await st('put', local, 'file');
    await st('get', 'file.zst', folder, '--no-decompress');
    expect(readFileSync(join(folder, 'file.zst'))).toEqual(readFileSync(objectPath('file.zst')));
  });

  it('encrypt and decrypt what is no JSON', async () => {
    expect(await stEncrypted('put', local, 'file')).toMatchObject({ exitCode: 0 });
    const back = join(folder, 'back');
    expect(await stEncrypted('get', 'file.lz4', back)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(back, 'utf8')).toBe(plain);
    expect((await st('get', 'file.lz4', join(folder, 'damaged'))).exitCode).not.toBe(0);
    expect(existsSync(join(folder, 'damaged'))).toBe(false);
    await st('put', '--no-compress', local, 'plain.json');
    expect(await stEncrypted('get', 'plain.json', join(folder, 'json'))).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(folder, 'json'), 'utf8')).toBe(plain);
    expect(await stEncrypted('put', '--no-compress', local, 'lost.json')).toMatchObject({ exitCode: 64 });
    expect(existsSync(objectPath('lost.json'))).toBe(false);
    await stEncrypted('put', '--no-encrypt', '--no-compress', local, 'open');
    expect(readFileSync(objectPath('open'), 'utf8')).toBe(plain);
    await stEncrypted('get', '--no-decrypt', 'open', join(folder, 'open'));
    expect(readFileSync(join(folder, 'open'), 'utf8')).toBe(plain);
  });

  it('never replace an object unless told, nor a local file at all', async () => {
    await st('put', local, 'file');
    const before = readFileSync(objectPath('file.zst'));
    writeFileSync(local, 'something else');
    expect(await st('put', local, 'file')).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining('already exists'),
    });
    expect(readFileSync(objectPath('file.zst'))).toEqual(before);
    expect((await st('get', 'file.zst', local)).exitCode).toBe(73);
    expect(readFileSync(local, 'utf8')).toBe('something else');
    expect((await st('put', '-f', local, 'file')).exitCode).toBe(0);
    expect(readFileSync(objectPath('file.zst'))).not.toEqual(before);
  });

  it('name what is not there', async () => {
    expect((await st('get', 'nothing', join(folder, 'back'))).exitCode).toBe(74);
    expect(readdirSync(folder).sort()).toEqual(['local', 'repository']);
    expect(await st('put', join(folder, 'nothing'), 'file')).toMatchObject({ exitCode: 73 });
    expect(await st('put', folder, 'file')).toMatchObject({ exitCode: 73 });
  });

  it('want the name of an object, not that of a folder', async () => {
    for (const name of ['', '/', 'folder/']) {
      expect(await st('put', local, name)).toMatchObject({ exitCode: 64, stdout: '' });
    }
    expect(readdirSync(repository)).toEqual([]);
  });
});

describe('st cat', () => {
  it('prints the stored bytes, or the decoded ones', async () => {
    await st('put', local, 'file');
    expect((await st('cat', 'file.zst', '--decompress')).stdout).toBe(plain);
    expect((await st('cat', 'file.zst')).stdout).not.toBe(plain);
    await st('put', '--no-compress', local, 'file.json');
    expect((await st('cat', 'file.json')).stdout).toBe(plain);
  });
});

describe('st ls', () => {
  beforeEach(() => {
    for (const key of ['wal_005/1.zst', 'wal_005/2.zst', 'wal_005/deep/3', 'top']) {
      mkdirSync(join(objectPath(key), '..'), { recursive: true });
      writeFileSync(objectPath(key), 'four');
      utimesSync(objectPath(key), new Date('2026-01-02T03:04:05.120Z'), new Date('2026-01-02T03:04:05.120Z'));
    }
  });

  it('lists a folder as WAL-G does', async () => {
    const { stdout } = await st('ls');
    expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      'type size last modified  name',
      'dir  0  0001-01-01 00:00:00 +0000 UTC  wal_005/',
      'obj  4  2026-01-02 03:04:05.12 +0000 UTC top',
      '',
    ]);
  });

  it('lists the folders below with -r, and by a pattern with -g', async () => {
    const names = async (...args: string[]) =>
      (await st('ls', ...args)).stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ').at(-1));
    expect(await names('wal_005')).toEqual(['deep/', '1.zst', '2.zst']);
    expect(await names('-r', 'wal_005/')).toEqual(['1.zst', '2.zst', 'deep/3']);
    expect(await names('-g', 'wal_005/[12].*')).toEqual(['wal_005/1.zst', 'wal_005/2.zst']);
    expect(await names('-g', 'wal_*')).toEqual(['wal_005/1.zst', 'wal_005/2.zst', 'wal_005/deep/3']);
  });

  it('refuses storages that do not exist, and tools', async () => {
    expect((await st('ls', '-t', 'default')).exitCode).toBe(0);
    expect((await st('ls', '-t', 'failover')).exitCode).toBe(64);
    expect((await st('stat', 'top')).exitCode).toBe(64);
  });
});

describe('st rm', () => {
  beforeEach(() => {
    for (const key of ['a', 'b/1', 'b/2', 'bb']) {
      mkdirSync(join(objectPath(key), '..'), { recursive: true });
      writeFileSync(objectPath(key), 'four');
    }
  });

  it('removes an object, a folder, or what matches', async () => {
    expect((await st('rm', 'a')).exitCode).toBe(0);
    expect((await st('rm', 'b')).exitCode).toBe(0);
    expect(readdirSync(repository, { recursive: true })).toEqual(expect.not.arrayContaining(['a', 'b/1', 'b/2']));
    expect(existsSync(objectPath('bb'))).toBe(true);
    expect((await st('rm', '-g', 'b*')).exitCode).toBe(0);
    expect(existsSync(objectPath('bb'))).toBe(false);
  });

  it('removes nothing that is not named', async () => {
    expect(await st('rm', 'c')).toMatchObject({ exitCode: 74 });
    expect(await st('rm', '/')).toMatchObject({ exitCode: 64 });
    expect(await st('rm', 'a/')).toMatchObject({ exitCode: 74 });
    expect(existsSync(objectPath('a'))).toBe(true);
  });
});

describe('st check', () => {
  it('says whether the store can be read and written, and leaves nothing behind', async () => {
    await st('put', local, 'file');
    expect(await st('check', 'read', 'file.zst')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('Read check OK'),
    });
    expect(await st('check', 'read', 'file.zst', 'x', 'y')).toMatchObject({
      exitCode: 74,
      stderr: expect.stringContaining('files are missing: x, y'),
    });
    expect(await st('check', 'write')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('Write check OK'),
    });
    expect(readdirSync(repository)).toEqual(['file.zst']);
  });
});

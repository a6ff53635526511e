import { writeFileSync } from 'node:fs';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, NotFoundError, StoreError, UsageError } from '../../../src/errors.ts';
import { createFilesystemStore } from '../../../src/storage/drivers/filesystem.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { joined, walLikeBytes } from '../../support/byte-streams.ts';

let root: string;
let store: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'seawall-directory-'));
  store = createFilesystemStore(root);
});

afterEach(async () => {
  await chmod(root, 0o755);
  await rm(root, { recursive: true, force: true });
});

async function keys(prefix = ''): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
}

describe('the root of a directory store', () => {
  it('is never created: what is not mounted must not look empty', async () => {
    const missing = createFilesystemStore(join(root, 'not-mounted'));
    const calls = [
      () => missing.put('a/b', Buffer.from('x')),
      () => missing.get('a/b'),
      () => missing.head('a'),
      () => Array.fromAsync(missing.list('a/')),
      () => missing.delete(['a']),
    ];
    for (const call of calls) {
      const error = await call().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).hint).toContain(join(root, 'not-mounted'));
    }
    expect(await readdir(root)).toEqual([]);
  });

  it('must be a directory and be told as an absolute path', async () => {
    await writeFile(join(root, 'file'), 'x');
    await expect(createFilesystemStore(join(root, 'file')).put('a', Buffer.from('x'))).rejects.toThrow(
      'it is not a directory',
    );
    await expect(createFilesystemStore(join(root, 'file')).head('a')).rejects.toThrow(ConfigError);
    expect(() => createFilesystemStore('wal')).toThrow(ConfigError);
  });

  it('is told in the location as a URL', () => {
    expect(createFilesystemStore('/srv/wal archive/').location).toBe('file:///srv/wal%20archive');
  });
});

describe('the files of a directory store', () => {
  it('lie at the path that the key says, open to owner and group only', async () => {
    await store.put('wal_005/sub/0001', Buffer.from('x'));
    expect(await readFile(join(root, 'wal_005/sub/0001'), 'utf8')).toBe('x');
    expect((await stat(join(root, 'wal_005/sub/0001'))).mode & 0o777 & ~0o640).toBe(0);
    expect((await stat(join(root, 'wal_005'))).mode & 0o777 & ~0o750).toBe(0);
  });

  it('may be of others, and temporary ones of WAL-G stay hidden', async () => {
    await writeFile(join(root, 'foreign'), 'x');
    await writeFile(join(root, 'object.tmp.20260131T235958Z-0123456789abcdef'), 'half');
    const socket = createServer().listen(join(root, 'socket'));
    expect(await keys()).toEqual(['foreign']);
    socket.close();
  });

  it('are rid of what killed writers left a day ago, when something is deleted near it', async () => {
    const [abandoned, young] = ['a.tmp.20260101T000000Z-0123456789abcdef', 'b.tmp.20260101T000000Z-0123456789abcdef'];
    await store.put('object', Buffer.from('x'));
    await writeFile(join(root, young), 'half');
    await writeFile(join(root, abandoned), 'half');
    const dayAgo = Date.now() / 1000 - 25 * 3600;
    await utimes(join(root, abandoned), dayAgo, dayAgo);
    await store.delete(['object']);
    expect(await readdir(root)).toEqual([young]);
  });

  it('are never given a temporary name, under which nobody would see them', async () => {
    await expect(store.put('a.tmp.20260131T235958Z-0123456789abcdef', Buffer.from('x'))).rejects.toThrow(UsageError);
  });

  it('may lie behind links, also on another volume', async () => {
    await mkdir(join(root, 'elsewhere'));
    await symlink('elsewhere', join(root, 'wal_005'));
    await symlink('nowhere', join(root, 'dangling'));
    await store.put('wal_005/0001', Buffer.from('x'));
    expect(await readFile(join(root, 'elsewhere/0001'), 'utf8')).toBe('x');
    expect(await keys('wal_005/')).toEqual(['wal_005/0001']);
    expect(await keys()).toEqual(['elsewhere/0001', 'wal_005/0001']);
    await store.delete(['wal_005/0001']);
    expect(await keys()).toEqual([]);
  });

  it('are not confused with folders', async () => {
    await store.put('a/b', Buffer.from('x'));
    await expect(store.get('a')).rejects.toThrow(NotFoundError);
    await expect(store.head('a')).rejects.toThrow(NotFoundError);
    for (const ifAbsent of [false, true]) {
      const inTheWay = await store.put('a', Buffer.from('x'), { ifAbsent }).catch((error: unknown) => error);
      expect(inTheWay).toMatchObject({ name: 'StoreError', retryable: false });
      const below = await store.put('a/b/c', Buffer.from('x'), { ifAbsent }).catch((error: unknown) => error);
      expect(below).toMatchObject({ name: 'StoreError', retryable: false });
    }
    await store.delete(['a']);
    expect(await keys()).toEqual(['a/b']);
  });
});

describe('reading a directory store', () => {
  it('throws when the file becomes shorter while it is read', async () => {
    await store.put('object', walLikeBytes(5_000_000));
    const { body } = await store.get('object');
    const read = async () => {
      for await (const _ of body) await truncate(join(root, 'object'), 2_000_000);
    };
    await expect(read()).rejects.toThrow(StoreError);
    await expect(async () => joined((await store.get('object', { range: { start: 3_000_000 } })).body)).rejects.toThrow(
      StoreError,
    );
  });

  it('goes on reading the object that was opened when it is replaced', async () => {
    const bytes = walLikeBytes(5_000_000);
    await store.put('object', bytes);
    const { body } = await store.get('object');
    await store.put('object', Buffer.from('new'));
    expect((await joined(body)).equals(bytes)).toBe(true);
  });

  it('lists a folder of 1000 objects', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => index.toString(16).toUpperCase().padStart(24, '0'));
    await mkdir(join(root, 'wal_005'));
    for (const name of names) writeFileSync(join(root, 'wal_005', name), '');
    expect(await keys('wal_005/')).toEqual(names.map((name) => `wal_005/${name}`));
  });
});

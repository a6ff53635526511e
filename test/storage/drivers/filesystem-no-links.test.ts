import { link, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { createFilesystemStore } from '../../../src/storage/drivers/filesystem.ts';

// No file system without hard links can be had in every test run, so link(2) is the one call that is imitated.
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  return { ...original, link: vi.fn(original.link) };
});

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'seawall-no-links-'));
});

afterEach(async () => {
  vi.mocked(link).mockReset();
  await rm(root, { recursive: true, force: true });
});

function linkFailure(code: string): Error {
  return Object.assign(new Error(`${code}: operation not permitted, link`), { code, syscall: 'link' });
}

describe('a directory on a file system without hard links', () => {
  it.for(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('refuses to create what must be absent (%s)', async (code) => {
    vi.mocked(link).mockRejectedValue(linkFailure(code));
    const store = createFilesystemStore(root);
    const error = await store.put('object', Buffer.from('x'), { ifAbsent: true }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain('no hard links');
    expect(await readdir(root)).toEqual([]);
  });

  it('can still replace', async () => {
    vi.mocked(link).mockRejectedValue(linkFailure('EPERM'));
    await createFilesystemStore(root).put('object', Buffer.from('x'));
    expect(await readdir(root)).toEqual(['object']);
  });
});

describe('a directory on a network file system', () => {
  it('has stored the object when the answer to link(2) was lost and the call repeated', async () => {
    const { link: realLink } = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises');
    vi.mocked(link).mockImplementation(async (from, to) => {
      await realLink(from, to);
      throw linkFailure('EEXIST');
    });
    await createFilesystemStore(root).put('object', Buffer.from('x'), { ifAbsent: true });
    expect(await readdir(root)).toEqual(['object']);
  });
});

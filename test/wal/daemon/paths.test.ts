import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { destinationIn, sourceIn } from '../../../src/wal/daemon/paths.ts';

const segment = '000000010000000000000002';
let home: string;
let data: string;

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'seawall-paths-')));
  data = join(home, 'data');
  await mkdir(join(data, 'base'), { recursive: true });
  await mkdir(join(home, 'wal'));
  await mkdir(join(home, 'other'));
  await symlink(join(home, 'wal'), join(data, 'pg_wal'));
  await symlink(data, join(home, 'link'));
});
afterAll(() => rm(home, { recursive: true }));

describe('the file that a push names', () => {
  it.each([
    ['a bare name', () => segment],
    ['%p', () => `pg_wal/${segment}`],
    ['its absolute path', () => join(data, 'pg_wal', segment)],
    ['its absolute path by another way', () => join(home, 'link/pg_wal', segment)],
    ['its absolute path where pg_wal is a link', () => join(home, 'wal', segment)],
  ])('is found by %s', async (_, given) => {
    expect(await sourceIn(data, given())).toBe(join(data, 'pg_wal', segment));
  });

  it.each(['00000002.history', `${segment}.partial`, `${segment}.00000028.backup`])('may be %s', async (name) => {
    expect(await sourceIn(data, name)).toBe(join(data, 'pg_wal', name));
  });

  it.each([
    '',
    '.',
    '..',
    'postgresql.conf',
    '../postgresql.conf',
    `../${segment}`,
    `pg_wal/../${segment}`,
    `pg_wal/archive_status/${segment}`,
    `./pg_wal/${segment}`,
    `base/${segment}`,
    `/${segment}`,
    `/tmp/${segment}`,
    `${segment}/`,
    `${segment}.ready`,
    `${segment}\n`,
    'archive_status',
  ])('is not %j', async (given) => {
    await expect(sourceIn(data, given)).rejects.toThrow(UsageError);
  });
});

describe('the destination of a fetch', () => {
  it.each([
    ['pg_wal/RECOVERYXLOG', () => join(data, 'pg_wal/RECOVERYXLOG')],
    ['RECOVERYXLOG', () => join(data, 'RECOVERYXLOG')],
    ['pg_wal/../x', () => join(data, 'x')],
  ])('%s is relative to the data directory', async (given, expected) => {
    expect(await destinationIn(data, given)).toBe(expected());
  });

  it('may be absolute, inside the data directory or where pg_wal leads', async () => {
    for (const given of [
      join(data, 'pg_wal/x'),
      join(home, 'link/x'),
      join(home, 'link/base/x'),
      join(home, 'wal/x'),
    ]) {
      expect(await destinationIn(data, given)).toBe(given);
    }
  });

  it.each(['', '.', '..', '../x', 'pg_wal/../../x', 'pg_wal/', '/', '/etc/passwd', 'x\0', '../data'])(
    'is not %j',
    async (given) => {
      await expect(destinationIn(data, given)).rejects.toThrow(UsageError);
    },
  );

  it('is not in a neighbour whose name begins alike', async () => {
    await expect(destinationIn(data, `${data}2/x`)).rejects.toThrow(UsageError);
    await expect(destinationIn(data, join(home, 'other/x'))).rejects.toThrow(UsageError);
  });
});

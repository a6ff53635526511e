import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { findDataDirectory, isStandby, readCluster } from '../../src/wal/cluster.ts';

let folder: string;
let data: string;
const { signal } = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-cluster-'));
  data = join(folder, 'data');
  await mkdir(join(data, 'global'), { recursive: true });
  await mkdir(join(folder, 'wal'));
  await writeFile(join(data, 'global', 'pg_control'), '');
  await symlink(join(folder, 'wal'), join(data, 'pg_wal'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('findDataDirectory', () => {
  it('is the directory above pg_wal, also where pg_wal is a link', async () => {
    expect(await findDataDirectory(join(data, 'pg_wal', 'RECOVERYXLOG'))).toBe(data);
  });

  it('is the given one where the path does not tell', async () => {
    expect(await findDataDirectory(join(folder, 'wal', 'RECOVERYXLOG'), data)).toBe(data);
    expect(await findDataDirectory('RECOVERYXLOG', data)).toBe(data);
  });

  it('is unknown where nothing holds a pg_control', async () => {
    expect(await findDataDirectory(join(folder, 'wal', 'RECOVERYXLOG'))).toBeUndefined();
    expect(await findDataDirectory(join(folder, 'wal', 'RECOVERYXLOG'), folder)).toBeUndefined();
  });
});

describe('readCluster', () => {
  it('knows nothing without a data directory', async () => {
    expect(await readCluster(undefined, { acceptUnknown: false, signal })).toBeUndefined();
  });

  it('refuses a data directory whose pg_control cannot be read, unless told otherwise', async () => {
    await expect(readCluster(data, { acceptUnknown: false, signal })).rejects.toThrow(IntegrityError);
    expect(await readCluster(data, { acceptUnknown: true, signal })).toBeUndefined();
  });
});

describe('isStandby', () => {
  it('is told by standby.signal', async () => {
    expect(await isStandby(undefined)).toBe(false);
    expect(await isStandby(data)).toBe(false);
    await writeFile(join(data, 'standby.signal'), '');
    expect(await isStandby(data)).toBe(true);
  });
});

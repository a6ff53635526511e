import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PutOutcome } from '../../support/directory-writer-objects.ts';
import { runCommand } from '../../support/run-command.ts';

const writer = fileURLToPath(new URL('../../support/directory-writer.ts', import.meta.url));
const path = { PATH: process.env['PATH'] ?? '' };

let parent: string;
let root: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'seawall-failures-'));
  root = join(parent, 'wal');
  await chmod(parent, 0o755);
  await mkdir(root, { mode: 0o755 });
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

/** Runs the writer on a file system of 2 MiB that only it and its children see. */
async function putOnSmallDisk(before: string, ...sizes: number[]): Promise<PutOutcome[] | undefined> {
  const script = `mount -t tmpfs -o size=2m tmpfs "$1" && mkdir "$1/wal_005" && ${before} && exec "$2" "$3" put "$1" ${sizes.join(' ')}`;
  const inOwnMounts = ['--mount', '--map-root-user', 'sh', '-c', script, 'sh', root, process.execPath, writer];
  const { exitCode, stdout } = await runCommand('unshare', inOwnMounts, { env: path });
  return exitCode === 0 ? (JSON.parse(stdout) as PutOutcome[]) : undefined;
}

const noMounts = 'this system lets nobody mount a file system of his own';

describe('a put into a directory', () => {
  it('says that the disk is full, leaves nothing, and works again when there is room', async ({ skip }) => {
    const outcomes = await putOnSmallDisk('true', 1_000_000, 5_000_000, 100_000);
    if (outcomes === undefined) return skip(noMounts);
    const [first, second, third] = outcomes;
    expect(first?.outcome).toBe('stored');
    expect(second).toMatchObject({ outcome: 'LocalFileError', names: ['wal_005', 'wal_005/0'] });
    expect(second?.message).toContain('wal_005/1');
    expect(second?.cause).toContain('no space left on device');
    expect(second?.hint).toContain('Make room');
    expect(third).toMatchObject({ outcome: 'stored', names: ['wal_005', 'wal_005/0', 'wal_005/2'] });
  });

  it('says that the file system is read-only', async ({ skip }) => {
    const outcomes = await putOnSmallDisk('mount -o remount,ro "$1"', 1000);
    if (outcomes === undefined) return skip(noMounts);
    expect(outcomes[0]).toMatchObject({ outcome: 'LocalFileError', names: ['wal_005'] });
    expect(outcomes[0]?.cause).toContain('read-only file system');
    expect(outcomes[0]?.hint).toContain('for writing');
  });

  it('says that it may not write there', async () => {
    // Root may write anywhere, so the writer runs as somebody else there.
    await chmod(root, 0o555);
    const { stdout } = await runCommand(process.execPath, [writer, 'put', root, '1000'], {
      asServerUser: true,
      env: path,
    });
    const [outcome] = JSON.parse(stdout) as PutOutcome[];
    expect(outcome).toMatchObject({ outcome: 'PermissionError', names: [] });
    expect(outcome?.cause).toContain('permission denied');
    expect(outcome?.hint).toContain(root);
  });
});

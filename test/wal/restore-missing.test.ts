import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noneCodec } from '../../src/codec/none.ts';
import { createContext } from '../../src/context.ts';
import { IntegrityError, LocalFileError, UsageError } from '../../src/errors.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { restoreMissingWal } from '../../src/wal/restore-missing.ts';
import { controlFileOf } from '../support/stored-backup.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-rewind-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A data directory of a cluster on timeline 1, with nothing but its control file and an empty pg_wal. */
function makeCluster(name: string, identifier: bigint): string {
  const directory = join(folder, name);
  for (const part of ['global', 'pg_wal']) mkdirSync(join(directory, part), { recursive: true });
  writeFileSync(join(directory, 'global', 'pg_control'), controlFileOf(identifier));
  return directory;
}

async function restore(target: string, source: string): Promise<unknown> {
  const repository = createRepository(createMemoryStore(), noneCodec);
  return await restoreMissingWal(repository, { target, source, deadlineMs: 1000 }, createContext());
}

// What it brings back, and that pg_rewind then succeeds: integration/journeys/rewind.test.ts.
describe('bringing back the WAL for pg_rewind', () => {
  it('is refused for two different clusters', async () => {
    const restoring = restore(makeCluster('old', 1n), makeCluster('new', 2n));
    await expect(restoring).rejects.toThrow(IntegrityError);
    await expect(restoring).rejects.toThrow(/are of different clusters/);
  });

  it('is refused while both are on one timeline', async () => {
    const restoring = restore(makeCluster('old', 1n), makeCluster('new', 1n));
    await expect(restoring).rejects.toThrow(UsageError);
    await expect(restoring).rejects.toThrow(/both on timeline 1: nothing to rewind/);
  });

  it('names the directory that is none', async () => {
    const target = makeCluster('old', 1n);
    rmSync(join(target, 'pg_wal'), { recursive: true });
    await expect(restore(target, makeCluster('new', 1n))).rejects.toThrow(LocalFileError);
    await expect(restore(join(folder, 'nothing'), target)).rejects.toThrow(/nothing/);
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import type { RestoreOptions } from '../../src/restore/plan.ts';
import { type RestoreResult, restoreBackup } from '../../src/restore/restore.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

/** What a test of restore works with, new for each test. */
export interface Restoring {
  /** Holds the destination and whatever else the test makes; nothing at first. */
  folder: string;
  /** The destination, which does not exist yet. */
  directory: string;
  store: ObjectStore;
  /** On that store, compressing with zstd. */
  repository: Repository;
  /** The text of a restored file. */
  read(path: string): string;
  options(differing?: Partial<RestoreOptions>): RestoreOptions;
  restore(differing?: Partial<RestoreOptions>, from?: Repository): Promise<RestoreResult>;
}

/** To be called at the top of a test file: makes an empty repository and a folder before each test, and removes them afterwards. */
export function setUpRestoring(): Restoring {
  const restoring = {
    read: (path: string) => readFileSync(join(restoring.directory, path), 'utf8'),
    options: (differing: Partial<RestoreOptions> = {}): RestoreOptions => ({
      backup: 'LATEST',
      directory: restoring.directory,
      target: parseRecoveryTarget({}),
      standby: false,
      restoreCommand: 'seawall wal-fetch "%f" "%p"',
      tablespaceMappings: [],
      jobs: 2,
      ...differing,
    }),
    restore: (differing: Partial<RestoreOptions> = {}, from: Repository = restoring.repository) =>
      restoreBackup(from, restoring.options(differing), createContext()),
  } as Restoring;
  beforeEach(() => {
    restoring.folder = mkdtempSync(join(tmpdir(), 'seawall-restore-'));
    restoring.directory = join(restoring.folder, 'data');
    restoring.store = createMemoryStore();
    restoring.repository = createRepository(restoring.store, createCodec('zstd'));
  });
  afterEach(() => {
    rmSync(restoring.folder, { recursive: true, maxRetries: 20, force: true });
  });
  return restoring;
}

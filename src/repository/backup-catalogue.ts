import pMap from 'p-map';
import { IntegrityError, NotFoundError } from '../errors.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { backupMetadataSchema } from './backup-metadata.ts';
import { type ReadJson, readJsonObject } from './json-object.ts';
import {
  backupFolder,
  backupNameOfSentinelKey,
  hasWaleOffset,
  isBackupName,
  metadataKey,
  sentinelKey,
  startSegmentOfBackup,
} from './layout.ts';
import type { Repository } from './repository.ts';
import { type Sentinel, sentinelSchema } from './sentinel.ts';

/** A backup that exists in the repository: its sentinel, with what its name, its metadata and the store add. */
export interface BackupRecord extends Sentinel {
  readonly name: string;
  /** When the sentinel was stored, by the store's clock: the order of backups, and what LATEST goes by, as in WAL-G. */
  readonly modifiedAt: Date;
  /** The segment in which the backup begins. */
  readonly startSegment: string;
  /** The timeline on which the backup begins. */
  readonly timeline: number;
  /** metadata.json's word, or the sentinel's where there is no metadata.json. */
  readonly isPermanent: boolean;
}

/** A backup whose sentinel or metadata cannot be read. */
export interface DamagedBackup {
  readonly name: string;
  readonly modifiedAt: Date;
  readonly error: IntegrityError;
}

export interface ListBackupsOptions extends CallOptions {
  /** Told of each damaged backup, which is then left out. Without it the first one is thrown. */
  readonly onDamaged?: (backup: DamagedBackup) => void;
}

/** Requests in flight while sentinels are read: hides the latency of a cloud store without being throttled by it. */
const readConcurrency = 16;

/** All backups, the newest last. @throws {@link IntegrityError} naming the key of a damaged one, unless `onDamaged` is given */
export async function listBackups(repository: Repository, options: ListBackupsOptions = {}): Promise<BackupRecord[]> {
  const { signal, onDamaged } = options;
  const records = await pMap(
    await listSentinels(repository, { signal }),
    async ({ name, modifiedAt }) => {
      try {
        return await readBackup(repository, name, { signal });
      } catch (error) {
        // Deleted between the listing and the reading: no backup any more.
        if (error instanceof NotFoundError) return undefined;
        if (!(error instanceof IntegrityError) || onDamaged === undefined) throw error;
        onDamaged({ name, modifiedAt, error });
        return undefined;
      }
    },
    { concurrency: readConcurrency, ...(signal === undefined ? {} : { signal }) },
  );
  return records.filter((record) => record !== undefined);
}

/**
 * Finds one backup by its name, or with `LATEST` the one whose sentinel was stored last.
 *
 * @throws {@link NotFoundError} when there is none
 * @throws {@link IntegrityError} when its sentinel or metadata is damaged
 */
export async function findBackup(
  repository: Repository,
  nameOrLatest: string,
  options: CallOptions = {},
): Promise<BackupRecord> {
  const { location } = repository.store;
  if (nameOrLatest !== 'LATEST') {
    if (!isBackupName(nameOrLatest)) throw missing(nameOrLatest, location);
    return readBackup(repository, nameOrLatest, options);
  }
  const latest = (await listSentinels(repository, options)).at(-1);
  if (latest === undefined) {
    throw new NotFoundError(`no backup in ${location}`, { hint: "Take one with 'seawall basebackup'." });
  }
  return readBackup(repository, latest.name, options);
}

/** Reads the sentinel and the metadata of one backup. @throws as {@link findBackup} */
async function readBackup(repository: Repository, name: string, options: CallOptions = {}): Promise<BackupRecord> {
  const { store } = repository;
  const sentinel = await absentAsUndefined(readSentinel(repository, name, options));
  if (sentinel === undefined) throw missing(name, store.location);
  const metadata = await absentAsUndefined(readJsonObject(store, metadataKey(name), backupMetadataSchema, options));
  const startSegment = startSegmentOfBackup(name);
  return {
    ...sentinel.value,
    name,
    modifiedAt: sentinel.modifiedAt,
    startSegment,
    timeline: Number.parseInt(startSegment.slice(0, 8), 16),
    isPermanent: metadata?.value.isPermanent ?? sentinel.value.isPermanent,
  };
}

async function readSentinel({ store }: Repository, name: string, options: CallOptions): Promise<ReadJson<Sentinel>> {
  try {
    return await readJsonObject(store, sentinelKey(name), sentinelSchema, options);
  } catch (error) {
    if (!(error instanceof IntegrityError) || !hasWaleOffset(name)) throw error;
    throw new IntegrityError(`${name} is a backup by WAL-E: ${error.message}`, {
      cause: error,
      hint: 'Its sentinel and its lzo compression are not read here: restore it with WAL-E, or with WAL-G.',
    });
  }
}

/** A backup as a listing shows it, of which nothing has been read. */
export interface StoredSentinel {
  /** The backup's. */
  readonly name: string;
  readonly modifiedAt: Date;
}

/** The backups by their sentinels alone, the newest last; those stored at the same instant are ordered by name. */
export async function listSentinels(repository: Repository, options: CallOptions = {}): Promise<StoredSentinel[]> {
  const sentinels: StoredSentinel[] = [];
  for await (const { key, modifiedAt } of repository.store.list(backupFolder, options)) {
    const name = backupNameOfSentinelKey(key);
    if (name !== undefined) sentinels.push({ name, modifiedAt });
  }
  return sentinels.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime() || (a.name < b.name ? -1 : 1));
}

async function absentAsUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function missing(name: string, location: string): NotFoundError {
  return new NotFoundError(`no backup ${JSON.stringify(name)} in ${location}`, {
    hint: "See which there are with 'seawall list'.",
  });
}

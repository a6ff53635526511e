import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { IntegrityError, systemErrorCode } from '../errors.ts';
import { walSubdirectories } from '../postgres/backup-exclusions.ts';
import { writeFileAtomically } from '../util/atomic-file.ts';
import { byteStringAsText, bytesOf, toByteString } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';
import { syncFile, syncFolder } from '../util/fsync.ts';
import { restoredConfiguration } from './configuration.ts';
import type { Claim } from './destination.ts';
import { checkLabel, readTablespaceMap } from './inspect-backup.ts';
import { checkTablespaceMap, type RestorePlan } from './plan.ts';
import type { UnpackedBackup } from './unpack-backup.ts';

/** Directories of every cluster; backups may lack the empty ones. @see postgres src/bin/initdb/initdb.c, subdirs */
const clusterDirectories = [
  'base',
  'global',
  'pg_commit_ts',
  'pg_dynshmem',
  'pg_logical/mappings',
  'pg_logical/snapshots',
  'pg_multixact/members',
  'pg_multixact/offsets',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_tblspc',
  'pg_twophase',
  'pg_wal',
  'pg_xact',
];

/** Directories synced at a time. */
const syncConcurrency = 16;

/**
 * Makes a cluster of the unpacked files: links of the tablespaces, empty directories, backup_label, the recovery settings. Then
 * everything is made durable, and only then pg_control appears, in one step: until that moment no server starts there.
 *
 * @returns the lines of postgresql.auto.conf that were removed
 * @throws {@link IntegrityError} when backup_label is missing or of another backup
 */
export async function finishRestore(
  plan: RestorePlan,
  { directories, held }: UnpackedBackup,
  claim: Claim,
  context: Context,
): Promise<readonly string[]> {
  const { backup, directory, majorVersion } = plan;
  const label = held.get('backup_label');
  checkLabel(label, backup);
  const control = held.get('global/pg_control');
  if (control === undefined) throw new IntegrityError(`backup ${backup.name} holds no global/pg_control`);
  checkTablespaceMap(backup, readTablespaceMap(held.get('tablespace_map'), backup));

  for (const path of [...clusterDirectories, ...walSubdirectories(majorVersion)]) {
    await directories.ensure(toByteString(join(directory, path)));
  }
  for (const { oid, location } of plan.tablespaces) {
    await onDisk(join(directory, 'pg_tblspc', oid), (path) => symlink(location, path));
  }
  // Where the group may enter the directory, it may read the files.
  const mode = ((await stat(directory)).mode & 0o050) === 0 ? 0o600 : 0o640;
  await writeDurably(join(directory, 'backup_label'), label ?? '', mode);
  const removed = await writeRecovery(plan, held, mode, context);

  await pMap(directories.places(), (place) => onDisk(byteStringAsText(place), () => syncFolder(bytesOf(place))), {
    concurrency: syncConcurrency,
    signal: context.signal,
  });
  await claim.release();
  context.signal.throwIfAborted();
  await onDisk(join(directory, 'global', 'pg_control'), (path) => writeFileAtomically(path, control, { mode }));
  return removed;
}

/** The recovery settings in postgresql.auto.conf and the signal file; or the former as the backup has it, if recovery is left to others. */
async function writeRecovery(
  plan: RestorePlan,
  held: UnpackedBackup['held'],
  mode: number,
  context: Context,
): Promise<readonly string[]> {
  const { backup, directory } = plan;
  const auto = held.get('postgresql.auto.conf');
  const autoPath = join(directory, 'postgresql.auto.conf');
  if (plan.recovery === 'leave') {
    if (auto !== undefined) await writeDurably(autoPath, auto, mode);
    return [];
  }
  const comment = `restored from ${backup.name} by Seawall, ${context.clock.now().toISOString()}`;
  const main = await readIfThere(join(directory, 'postgresql.conf'));
  const configuration = restoredConfiguration(plan, { main, auto: auto?.toString() ?? '' }, comment);
  await writeDurably(autoPath, configuration.text, mode);
  await writeDurably(join(directory, plan.signalFile), '', mode);
  return configuration.removed;
}

async function writeDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await onDisk(path, async () => {
    await writeFile(path, content, { flag: 'wx', mode });
    await syncFile(path);
  });
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw fileError(`cannot read ${path}`, path, error);
  }
}

async function onDisk<T>(path: string, call: (path: string) => Promise<T>): Promise<T> {
  try {
    return await call(path);
  } catch (error) {
    throw fileError(`cannot write ${path}`, path, error);
  }
}

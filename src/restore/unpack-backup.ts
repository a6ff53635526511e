import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Context } from '../context.ts';
import { IntegrityError } from '../errors.ts';
import { filesMetadataKey } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import { createDirectories, type Directories } from './directories.ts';
import { createManifestFiles, type ExpectedFiles, metadataFiles } from './expected-files.ts';
import { createFileSyncs } from './file-syncs.ts';
import { writeManifest } from './manifest.ts';
import { type BackupPart, readPart } from './parts.ts';
import { createPlacement, rootsOf } from './placement.ts';
import type { RestoreOptions, RestorePlan } from './plan.ts';
import { type Unpacking, unpackPart } from './unpack.ts';

/** A backup whose files are on disk, all but those that make a cluster of them. */
export interface UnpackedBackup {
  readonly directories: Directories;
  /** See {@link Unpacking}. */
  readonly held: ReadonlyMap<string, Buffer>;
  readonly sizeBytes: number;
}

/** How many missing files a message names. */
const namedFiles = 5;

/**
 * Fetches the parts and lays down their files, several parts side by side; the small parts with backup_label and pg_control come
 * last. When it resolves, every file that the backup has is on disk and checked. When it fails, nothing is under way any more.
 *
 * @throws {@link IntegrityError} for everything in which the backup is not what it should be, files that no part held included
 */
export async function unpackBackup(
  repository: Repository,
  plan: RestorePlan,
  onProgress: RestoreOptions['onProgress'],
  context: Context,
): Promise<UnpackedBackup> {
  const { backup, contents, directory } = plan;
  const placement = createPlacement(
    directory,
    plan.tablespaces.map(({ oid, location }) => [oid, location]),
  );
  const expected = await expectFiles(repository, plan, context.signal);
  let bytesDone = 0;
  const unpacking: Unpacking = {
    placement,
    expected,
    haveEndMarks: contents.parts.haveEndMarks,
    directories: createDirectories(rootsOf(placement)),
    syncs: createFileSyncs(),
    held: new Map(),
    onBytes: (sizeBytes) => {
      bytesDone += sizeBytes;
      onProgress?.({ bytesDone, bytesTotal: Math.max(backup.uncompressedSizeBytes, bytesDone) });
    },
  };
  const { data, label, control } = contents.parts;
  try {
    await unpackSideBySide(repository, data, plan.jobs, unpacking, context.signal);
    const last = label === undefined ? [control] : [label, control];
    await unpackSideBySide(repository, last, 1, unpacking, context.signal);
  } catch (error) {
    // Nothing may be written any more when the caller takes everything away again; the first failure is the one that counts.
    await unpacking.syncs.settle().catch(() => undefined);
    throw error;
  }
  await unpacking.syncs.settle();
  checkComplete(expected, plan);
  return { directories: unpacking.directories, held: unpacking.held, sizeBytes: bytesDone };
}

async function expectFiles(repository: Repository, plan: RestorePlan, signal: AbortSignal): Promise<ExpectedFiles> {
  const { backup, contents, directory } = plan;
  if (!contents.hasManifest) {
    const name = nameOfObject(repository.store, filesMetadataKey(backup.name));
    return metadataFiles(contents.filesMetadata, name);
  }
  const files = createManifestFiles();
  await writeManifest(repository, plan, join(directory, 'backup_manifest'), files, { signal });
  return files;
}

/** Unpacks the parts; the first failure stops the others, and they have all ended when this does. */
async function unpackSideBySide(
  repository: Repository,
  parts: readonly BackupPart[],
  jobs: number,
  unpacking: Unpacking,
  outerSignal: AbortSignal,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([outerSignal, failure.signal]);
  const limit = pLimit(jobs);
  const unpackOne = async (part: BackupPart) => {
    try {
      signal.throwIfAborted();
      const name = nameOfObject(repository.store, part.key);
      await unpackPart(readPart(repository, part, { signal }), name, unpacking);
    } catch (error) {
      failure.abort(error);
    }
  };
  await Promise.all(parts.map((part) => limit(unpackOne, part)));
  signal.throwIfAborted();
}

function checkComplete(expected: ExpectedFiles, { backup, contents }: RestorePlan): void {
  const missing = expected.missing().sort();
  if (missing.length === 0) return;
  const named = missing.slice(0, namedFiles).join(', ');
  const others = missing.length > namedFiles ? ` and ${missing.length - namedFiles} others` : '';
  const list = contents.hasManifest ? 'backup_manifest' : 'files_metadata.json';
  throw new IntegrityError(
    `backup ${backup.name} lists in its ${list} files that are in none of its parts: ${named}${others}`,
  );
}

import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Context } from '../context.ts';
import { IntegrityError } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { createDirectories, type Directories } from './directories.ts';
import { createManifestFiles, type ExpectedFiles } from './expected-files.ts';
import { createFileSyncs } from './file-syncs.ts';
import { writeManifest } from './manifest.ts';
import { collectMissingPages } from './missing-pages.ts';
import { type BackupPart, type BackupParts, readPart } from './parts.ts';
import { createPatchedFiles } from './patched-files.ts';
import { createPlacement, rootsOf } from './placement.ts';
import type { RestoreOptions, RestorePlan } from './plan.ts';
import { createPlannedFiles } from './planned-files.ts';
import { heldPaths, type Unpacking, unpackPart } from './unpack.ts';

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
  const { contents, directory } = plan;
  const placement = createPlacement(
    directory,
    plan.tablespaces.map(({ oid, location }) => [oid, location]),
  );
  const failure = new AbortController();
  const signal = AbortSignal.any([context.signal, failure.signal]);
  const expected = await expectFiles(repository, plan, signal, context);
  const directories = createDirectories(rootsOf(placement));
  const syncs = createFileSyncs();
  let bytesDone = 0;
  const onBytes = (sizeBytes: number) => {
    bytesDone += sizeBytes;
    onProgress?.({ bytesDone, bytesTotal: Math.max(plan.sizeBytes, bytesDone) });
  };
  const emptyPages = collectMissingPages(contents.files);
  const patched = createPatchedFiles({ directories, syncs, onBytes });
  const held = new Map<string, Buffer>();
  const { add: onMissingPages } = emptyPages;
  const unpacking: Unpacking = { placement, expected, directories, syncs, patched, held, onBytes, onMissingPages };
  const { parts, parents } = contents;
  const links = [parts, ...parents.map((parent) => parent.parts)];
  const { haveEndMarks } = parts;
  const last = { data: parts.label === undefined ? [parts.control] : [parts.label, parts.control], haveEndMarks };
  try {
    await unpackSideBySide(repository, links, plan.jobs, unpacking, { signal, fail: (error) => failure.abort(error) });
    await unpackSideBySide(repository, [last], 1, unpacking, { signal, fail: (error) => failure.abort(error) });
  } catch (error) {
    // Nothing may be written any more when the caller takes everything away again; the first failure is the one that counts.
    await syncs.settle().catch(() => undefined);
    throw error;
  }
  await syncs.settle();
  checkComplete(expected, plan);
  emptyPages.report(context);
  return { directories, held, sizeBytes: bytesDone };
}

async function expectFiles(
  repository: Repository,
  plan: RestorePlan,
  signal: AbortSignal,
  { log }: Context,
): Promise<ExpectedFiles> {
  const { contents, directory } = plan;
  if (!contents.hasManifest) {
    const isFull = contents.parents.length === 0;
    const takeUnlisted = (path: string) => isFull || heldPaths.has(path);
    const onUnlisted = (path: string, object: string) =>
      log.warn({ path: byteStringAsText(path), object }, 'a file that the backup does not list is left out');
    return createPlannedFiles(contents.files ?? new Map(), { takeUnlisted, onUnlisted, signal });
  }
  const files = createManifestFiles();
  await writeManifest(repository, plan, join(directory, 'backup_manifest'), files, { signal });
  return files;
}

/**
 * Unpacks the parts of the links, the newest link's first; the first failure stops the others, and they have all ended when this does. As
 * parts begin in this order, one that waits for a newer link waits for parts that are being unpacked.
 */
async function unpackSideBySide(
  repository: Repository,
  links: readonly Pick<BackupParts, 'data' | 'haveEndMarks'>[],
  jobs: number,
  unpacking: Unpacking,
  { signal, fail }: { readonly signal: AbortSignal; readonly fail: (error: unknown) => void },
): Promise<void> {
  const limit = pLimit(jobs);
  const unpackOne = async (part: BackupPart, link: number, haveEndMarks: boolean) => {
    try {
      signal.throwIfAborted();
      const objectName = nameOfObject(repository.store, part.key);
      await unpackPart(readPart(repository, part, { signal }), { objectName, link, haveEndMarks }, unpacking);
    } catch (error) {
      fail(error);
    }
  };
  const unpackLink = async ({ data, haveEndMarks }: Pick<BackupParts, 'data' | 'haveEndMarks'>, link: number) => {
    await Promise.all(data.map((part) => limit(unpackOne, part, link, haveEndMarks)));
    unpacking.expected.endLink(link);
  };
  await Promise.all(links.map(unpackLink));
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

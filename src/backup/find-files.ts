import type { Stats } from 'node:fs';
import { access, constants, lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Context } from '../context.ts';
import { PermissionError, systemErrorCode } from '../errors.ts';
import { type BackupRule, backupRules, walSubdirectories } from '../postgres/backup-exclusions.ts';
import type { MappedTablespace } from '../postgres/tablespace-map.ts';
import { byteStringAsText, bytesOf, toByteString } from '../util/byte-string.ts';
import { fileError } from '../util/file-error.ts';
import { directoryMark, type FoundFiles } from './file-records.ts';

/** What a cluster consists of as it is found after the start of a backup. */
export interface FoundCluster {
  /** Without `global/pg_control`, which is copied on its own. */
  readonly files: FoundFiles;
  /** Those outside of the data directory. */
  readonly tablespaces: readonly MappedTablespace[];
  /** Sizes of everything that was found, whether it is backed up or not. */
  readonly catalogSizeBytes: number;
}

export interface FindOptions {
  readonly majorVersion: number;
  /** @see tablespaceVersionDirectory */
  readonly versionDirectory: string;
}

export const controlFilePath = 'global/pg_control';

/** Names looked up at a time: enough to keep the threads of Node's pool busy. */
const lookupsAtOnce = 64;

/** Paths that a message lists before it says how many more there are. */
const listedPaths = 10;

/** Root reads everything. */
const superuserId = 0;

/** A walk under way. Paths are byte strings relative to the data directory. */
interface Walk {
  readonly root: string;
  readonly options: FindOptions;
  readonly context: Context;
  readonly ownUserId: number;
  readonly innerTablespaces: ReadonlySet<string>;
  readonly files: FoundFiles;
  readonly tablespaces: MappedTablespace[];
  readonly unreadable: string[];
  catalogSizeBytes: number;
}

/**
 * Walks the data directory and every tablespace, leaving out what a base backup does not need. A directory comes before what is in
 * it. What vanishes meanwhile is left out; what is neither file nor directory nor a link that PostgreSQL makes is left out with a
 * warning, as the server's own base backup does.
 *
 * @param dataDirectory - without symbolic links
 * @throws {@link PermissionError} listing the files that cannot be read, before any is copied
 */
export async function findFiles(dataDirectory: string, options: FindOptions, context: Context): Promise<FoundCluster> {
  const root = toByteString(dataDirectory);
  const walk: Walk = {
    root,
    options,
    context,
    ownUserId: userInfo().uid,
    innerTablespaces: await findInnerTablespaces(root),
    files: { paths: [], sizesBytes: [] },
    tablespaces: [],
    unreadable: [],
    catalogSizeBytes: 0,
  };
  await addDirectory(walk, '');
  await visitEntries(walk, '');
  if (walk.unreadable.length > 0) throw cannotRead(dataDirectory, walk.unreadable);
  const { files, tablespaces, catalogSizeBytes } = walk;
  return { files, tablespaces, catalogSizeBytes };
}

async function visitEntries(walk: Walk, directory: string): Promise<void> {
  walk.context.signal.throwIfAborted();
  const names = (await lookUp(walk, directory, (place) => readdir(place, { encoding: 'latin1' }))) ?? [];
  names.sort();
  const ruleFor = backupRules(directory, names, walk.options.versionDirectory);
  for (let first = 0; first < names.length; first += lookupsAtOnce) {
    const some = names.slice(first, first + lookupsAtOnce);
    const statuses = await Promise.all(
      some.map((name) => lookUp(walk, join(directory, name), (place) => lstat(place))),
    );
    for (const [index, name] of some.entries()) {
      const status = statuses[index];
      if (status === undefined) continue;
      if (directory === 'pg_tblspc' && status.isSymbolicLink()) await visitTablespace(walk, name);
      else await visit(walk, join(directory, name), status, (isDirectory) => ruleFor(name, isDirectory));
    }
  }
}

async function visit(
  walk: Walk,
  path: string,
  status: Stats,
  ruleFor: (isDirectory: boolean) => BackupRule,
): Promise<void> {
  walk.catalogSizeBytes += status.size;
  // PostgreSQL lets some of its directories be links, pg_wal above all; a restored cluster gets a directory there.
  const target = status.isSymbolicLink() ? await lookUp(walk, path, (place) => stat(place)) : status;
  const rule = ruleFor(target?.isDirectory() === true);
  if (rule === 'skip' || path === controlFilePath || walk.innerTablespaces.has(path)) return;
  if (rule === 'empty') {
    add(walk, path, directoryMark);
    if (path !== 'pg_wal') return;
    for (const inner of walSubdirectories(walk.options.majorVersion)) await addDirectory(walk, inner);
  } else if (status.isDirectory()) {
    add(walk, path, directoryMark);
    await visitEntries(walk, path);
  } else if (status.isFile()) {
    add(walk, path, status.size);
    await noteIfUnreadable(walk, path, status);
  } else if (!status.isSocket()) {
    const fields = { path: byteStringAsText(path) };
    walk.context.log.warn(fields, 'neither a file nor a directory: left out of the backup');
  }
}

/** The link itself is not backed up: a restore makes it from the list of tablespaces. */
async function visitTablespace(walk: Walk, oid: string): Promise<void> {
  const path = `pg_tblspc/${oid}`;
  const location = await lookUp(walk, path, (place) => readlink(place, { encoding: 'latin1' }));
  if (location === undefined) return;
  walk.tablespaces.push({ oid, location });
  await visitEntries(walk, path);
}

async function addDirectory(walk: Walk, path: string): Promise<void> {
  const status = await lookUp(walk, path, (place) => stat(place));
  if (status === undefined) return;
  walk.catalogSizeBytes += status.size;
  add(walk, path, directoryMark);
}

function add(walk: Walk, path: string, sizeBytes: number): void {
  walk.files.paths.push(path);
  walk.files.sizesBytes.push(sizeBytes);
}

/** Tries only files of another user: PostgreSQL makes none that their owner cannot read. */
async function noteIfUnreadable(walk: Walk, path: string, { uid }: Stats): Promise<void> {
  if (uid === walk.ownUserId || walk.ownUserId === superuserId) return;
  await lookUp(walk, path, (place) => access(place, constants.R_OK));
}

/** What a call on this path answers; undefined when the path has vanished, or is noted as one that we may not read. */
async function lookUp<T>(walk: Walk, path: string, call: (place: Buffer) => Promise<T>): Promise<T | undefined> {
  const place = bytesOf(join(walk.root, path));
  try {
    return await call(place);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return undefined;
    if (code !== 'EACCES') throw fileError(`cannot read ${place}`, place.toString(), error);
    walk.unreadable.push(path);
    return undefined;
  }
}

/** Tablespaces that lie within the data directory are reached by their links, and must not come twice. */
async function findInnerTablespaces(root: string): Promise<ReadonlySet<string>> {
  const inner = new Set<string>();
  const folder = `${root}/pg_tblspc`;
  for (const entry of await readdir(bytesOf(folder), { encoding: 'latin1', withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    try {
      const location = await realpath(bytesOf(`${folder}/${entry.name}`), { encoding: 'latin1' });
      if (location.startsWith(`${root}/`)) inner.add(location.slice(root.length + 1));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw fileError('cannot follow the links in pg_tblspc', folder, error);
    }
  }
  return inner;
}

function cannotRead(dataDirectory: string, paths: readonly string[]): PermissionError {
  const listed = paths.slice(0, listedPaths).map(byteStringAsText).join(', ');
  const more = paths.length > listedPaths ? ` and ${paths.length - listedPaths} more` : '';
  return new PermissionError(`cannot read in ${dataDirectory}: ${listed}${more}`, {
    hint: 'Run Seawall as the user that runs PostgreSQL, and give that user its files back.',
  });
}

function join(directory: string, name: string): string {
  return directory === '' || name === '' ? directory + name : `${directory}/${name}`;
}

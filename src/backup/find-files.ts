import type { Stats } from 'node:fs';
import { access, constants, lstat, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Context } from '../context.ts';
import { PermissionError, systemErrorCode } from '../errors.ts';
import { backupRules, walSubdirectories } from '../postgres/backup-exclusions.ts';
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
  /** Sizes of everything that was found. */
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

/** Root reads everything. */
const superuserId = 0;

/** Paths that a message lists before it says how many more there are. */
const listedPaths = 10;

/**
 * Walks the data directory and every tablespace, leaving out what a base backup does not need. A directory comes before what is in
 * it. What vanishes meanwhile is left out; what is neither file nor directory nor a link that PostgreSQL makes is left out with a
 * warning, as the server's own base backup does.
 *
 * @throws {@link PermissionError} listing the files that cannot be read, before any is copied
 */
export async function findFiles(dataDirectory: string, options: FindOptions, context: Context): Promise<FoundCluster> {
  const root = toByteString(dataDirectory);
  const files: FoundFiles = { paths: [], sizesBytes: [] };
  const tablespaces: MappedTablespace[] = [];
  const unreadable: string[] = [];
  const ownUserId = userInfo().uid;
  let catalogSizeBytes = 0;

  const innerTablespaces = await findInnerTablespaces(root);
  const status = await lstat(bytesOf(root));
  add('', directoryMark, status);
  await walk('');
  if (unreadable.length > 0) throw cannotRead(unreadable);
  return { files, tablespaces, catalogSizeBytes };

  function add(path: string, sizeBytes: number, { size }: Stats): void {
    files.paths.push(path);
    files.sizesBytes.push(sizeBytes);
    catalogSizeBytes += size;
  }

  async function walk(directory: string): Promise<void> {
    context.signal.throwIfAborted();
    const names = (await unlessGone(directory, readdir(placeOf(directory), { encoding: 'latin1' }))) ?? [];
    names.sort();
    const ruleFor = backupRules(directory, names, options.versionDirectory);
    for (let first = 0; first < names.length; first += lookupsAtOnce) {
      const some = names.slice(first, first + lookupsAtOnce).map((name) => ({ name, path: join(directory, name) }));
      const statuses = await Promise.all(some.map(({ path }) => unlessGone(path, lstat(placeOf(path)))));
      for (const [index, { name, path }] of some.entries()) {
        const found = statuses[index];
        if (found !== undefined) await visit(directory, name, path, found, ruleFor);
      }
    }
  }

  async function visit(
    directory: string,
    name: string,
    path: string,
    found: Stats,
    ruleFor: ReturnType<typeof backupRules>,
  ): Promise<void> {
    if (directory === 'pg_tblspc' && found.isSymbolicLink()) return await visitTablespace(name, path);
    // PostgreSQL lets some of its directories be links, pg_wal above all; a restored cluster gets a directory.
    const target = found.isSymbolicLink() ? await unlessGone(path, stat(placeOf(path))) : found;
    const rule = target === undefined ? 'copy' : ruleFor(name, target.isDirectory());
    if (rule === 'skip' || path === controlFilePath || innerTablespaces.has(path)) return;
    if (rule === 'empty') {
      add(path, directoryMark, found);
      if (path === 'pg_wal') await addWalSubdirectories();
    } else if (found.isDirectory()) {
      add(path, directoryMark, found);
      await walk(path);
    } else if (found.isFile()) {
      add(path, found.size, found);
      await noteIfUnreadable(path, found);
    } else if (!found.isSocket()) {
      context.log.warn({ path: byteStringAsText(path) }, 'neither a file nor a directory: left out of the backup');
    }
  }

  async function visitTablespace(oid: string, path: string): Promise<void> {
    const location = await unlessGone(path, readlink(placeOf(path), { encoding: 'latin1' }));
    if (location === undefined) return;
    tablespaces.push({ oid, location });
    await walk(path);
  }

  async function addWalSubdirectories(): Promise<void> {
    for (const path of walSubdirectories(options.majorVersion)) {
      const found = await unlessGone(path, stat(placeOf(path)));
      if (found !== undefined) add(path, directoryMark, found);
    }
  }

  /** Only files of another user are tried: PostgreSQL makes none that their owner cannot read. */
  async function noteIfUnreadable(path: string, { uid }: Stats): Promise<void> {
    if (uid === ownUserId || ownUserId === superuserId) return;
    await unlessGone(path, access(placeOf(path), constants.R_OK));
  }

  function placeOf(path: string): Buffer {
    return bytesOf(join(root, path));
  }

  function cannotRead(paths: readonly string[]): PermissionError {
    const listed = paths.slice(0, listedPaths).map(byteStringAsText).join(', ');
    const more = paths.length > listedPaths ? ` and ${paths.length - listedPaths} more` : '';
    return new PermissionError(`cannot read in ${dataDirectory}: ${listed}${more}`, {
      hint: 'Run Seawall as the user that runs PostgreSQL, and give that user its files back.',
    });
  }

  async function unlessGone<T>(path: string, call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOENT') return undefined;
      if (code === 'EACCES') {
        unreadable.push(path);
        return undefined;
      }
      const place = placeOf(path).toString();
      throw fileError(`cannot read ${place}`, place, error);
    }
  }
}

/** Paths of tablespaces that lie within the data directory: they are reached by their links, and must not come twice. */
async function findInnerTablespaces(root: string): Promise<Set<string>> {
  const folder = join(root, 'pg_tblspc');
  const inner = new Set<string>();
  for (const name of await readdir(bytesOf(folder), { encoding: 'latin1' })) {
    try {
      const location = await realpath(bytesOf(join(folder, name)), { encoding: 'latin1' });
      if (location.startsWith(`${root}/`)) inner.add(location.slice(root.length + 1));
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }
  // A tablespace in place is a directory in pg_tblspc itself, with no link that leads there.
  return new Set([...inner].filter((path) => !path.startsWith('pg_tblspc/')));
}

function join(directory: string, name: string): string {
  return name === '' ? directory : directory === '' ? name : `${directory}/${name}`;
}

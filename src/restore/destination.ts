import { chmod, mkdir, readdir, realpath, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LocalFileError, systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';
import { syncFolder } from '../util/fsync.ts';

/**
 * Stands in every directory of a restore from its first to its last moment. Another restore refuses a directory that holds it,
 * and a directory that still holds it after a crash cannot be started: its pg_control comes last.
 */
const unfinishedMark = 'seawall-restore.unfinished';

/** What is at the place where a directory is to be filled; anything but these two is refused. */
export type DirectoryState = 'absent' | 'empty';

/**
 * Looks at a directory that a restore is to fill, and follows it when it is a link.
 *
 * @param what - names its role in messages, `destination` or `tablespace 16384`
 * @throws {@link LocalFileError} when it is no directory, or not empty
 */
export async function inspectDirectory(path: string, what: string): Promise<DirectoryState> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory())
      throw new LocalFileError(`cannot restore: ${what} ${path} is not a directory`);
    names = await readdir(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return 'absent';
    if (error instanceof LocalFileError) throw error;
    throw fileError(`cannot restore: ${what} ${path} cannot be read`, path, error);
  }
  if (names.length === 0) return 'empty';
  if (names.includes(unfinishedMark)) {
    throw new LocalFileError(`cannot restore: ${what} ${path} holds a restore that is running or did not finish`, {
      hint: 'If no restore is running there, remove its whole content and try again.',
    });
  }
  if (names.includes('postmaster.pid')) {
    throw new LocalFileError(`cannot restore: ${what} ${path} is in use by a server, it holds postmaster.pid`, {
      hint: `Stop the server (pg_ctl stop -D ${path}) and move the directory away, or name another one.`,
    });
  }
  throw new LocalFileError(`cannot restore: ${what} ${path} is not empty, it holds ${basename(names[0] ?? '')}`, {
    hint: 'Name another directory, or move away what is in it; Seawall never overwrites a file.',
  });
}

/** The absolute path without links, of a directory that need not exist yet. */
export async function realPathOf(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    const parent = dirname(absolute);
    if (systemErrorCode(error) !== 'ENOENT' || parent === absolute) {
      throw fileError(`cannot restore into ${path}`, parent, error);
    }
    return join(await realPathOf(parent), basename(absolute));
  }
}

/** What the file system of a directory, which need not exist yet, has room for; undefined when it does not say. */
export async function freeBytesAt(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(path);
    return systemErrorCode(error) === 'ENOENT' && parent !== path ? await freeBytesAt(parent) : undefined;
  }
}

/** Directories that this restore alone fills. */
export interface Claim {
  /** Takes the marks away: everything is complete and durable. */
  release(): Promise<void>;
  /** Removes everything that the restore made, so that a second try finds what the first one found. */
  undo(): Promise<void>;
}

interface ClaimedDirectory {
  readonly path: string;
  /** The topmost directory that was created for it; undefined when it was there already. */
  readonly firstCreated: string | undefined;
}

/**
 * Creates the directories (0700) or takes the empty ones, and puts the mark into each. Of two restores that claim the same
 * directory at the same time, one fails.
 *
 * @throws {@link LocalFileError} or {@link PermissionError}; what had been claimed by then is given back
 */
export async function claimDirectories(paths: readonly string[], markText: string): Promise<Claim> {
  const claimed: ClaimedDirectory[] = [];
  const claim: Claim = {
    async release() {
      for (const { path } of claimed) {
        await rm(join(path, unfinishedMark));
        await syncFolder(path);
      }
    },
    async undo() {
      for (const directory of claimed.toReversed()) await removeClaimed(directory);
    },
  };
  try {
    for (const path of paths) claimed.push(await claimDirectory(path, markText));
  } catch (error) {
    await claim.undo();
    throw error;
  }
  return claim;
}

async function claimDirectory(path: string, markText: string): Promise<ClaimedDirectory> {
  const firstCreated = await makeOrTake(path);
  try {
    await writeFile(join(path, unfinishedMark), markText, { flag: 'wx', mode: 0o600 });
    return { path, firstCreated };
  } catch (error) {
    if (firstCreated !== undefined) await removeEmpty(path, firstCreated);
    if (systemErrorCode(error) !== 'EEXIST') throw fileError(`cannot restore into ${path}`, path, error);
    throw new LocalFileError(`cannot restore: another restore is filling ${path}`, { cause: error });
  }
}

/** Gives the topmost directory that had to be created. Its name, and those below, are durable: a crash must not lose the whole tree. */
async function makeOrTake(path: string): Promise<string | undefined> {
  try {
    const firstCreated = await mkdir(path, { recursive: true, mode: 0o700 });
    if (firstCreated === undefined) await chmod(path, 0o700);
    else for (const created of upwards(path, firstCreated)) await syncFolder(dirname(created));
    return firstCreated;
  } catch (error) {
    throw fileError(`cannot restore into ${path}`, dirname(path), error);
  }
}

/** A directory that was there, and empty, stays; one that was created goes, with the parents that were created for it. */
async function removeClaimed({ path, firstCreated }: ClaimedDirectory): Promise<void> {
  try {
    for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
  } catch (error) {
    throw fileError(`cannot remove what the failed restore left in ${path}`, path, error);
  }
  if (firstCreated !== undefined) await removeEmpty(path, firstCreated);
}

/** Removes a directory and the parents up to the topmost one that was created; one that somebody else uses by now stays. */
async function removeEmpty(path: string, topmost: string): Promise<void> {
  for (const directory of upwards(path, topmost)) {
    try {
      await rmdir(directory);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOTEMPTY') throw fileError(`cannot remove ${directory}`, directory, error);
    }
  }
}

/** The directory and those above it, up to and including the topmost. */
function* upwards(path: string, topmost: string): Generator<string> {
  for (let directory = path; directory.startsWith(topmost); directory = dirname(directory)) yield directory;
}

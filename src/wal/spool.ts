import type { Stats } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LocalFileError, systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';
import { readServerRun } from './agent/server-run.ts';
import { areUnchanged, markTimes } from './agent/settings-files.ts';

/**
 * The spool: where the agent and the calls of PostgreSQL hand segments over to one another.
 *
 * ```
 * pg_wal/pgsql_tmp_seawall/              PostgreSQL's own tools skip names that begin with pgsql_tmp
 *   <boot id>-<process id>-<start>/      one run of one server
 *     push                               the name of the directory below, and the settings that it is for
 *     push.<random>/                     one half for each direction
 *       times/                           the times of the files that belong to the settings
 *       agent                            the process that is at work here
 *       pushed/<file>                    durable in the repository; a text in it is a warning for PostgreSQL's log
 *       claimed/<file>                   in flight; the text in it says whose it is
 *       failed/<file>                    could not be pushed; the text in it says why
 *     fetch, fetch.<random>/
 *       times/, agent, claimed/          as above
 *       asked                            the segment that recovery has last asked us for
 *       fetched/<segment>                whole, verified, ready to be renamed to its destination
 * ```
 *
 * Nothing in it is needed: whoever does not find what it looks for does the work itself. A half serves the settings that it was made
 * for and no others, ever: calls with other ones make a new half, whose name nobody knew before.
 */
export const spoolName = 'pgsql_tmp_seawall';

/** Which way the segments of a half go. */
export type Direction = 'push' | 'fetch';

/** A call that the launcher found fit for the spool: made by a server, from its data directory. */
export interface SpoolCall {
  readonly dataDirectory: string;
  readonly direction: Direction;
  /** The call's flags and variables, in one line; only ever compared. */
  readonly settings: string;
  /** The files that belong to the settings too, in the launcher's order; undefined where none is set. */
  readonly settingsFiles: readonly (string | undefined)[];
}

/** The half of the spool that serves a call. */
export interface Half {
  readonly direction: Direction;
  readonly path: string;
}

const foldersOf = { push: ['pushed', 'claimed', 'failed'], fetch: ['fetched', 'claimed'] } as const;

/** Finds the half for a call; undefined when there is none, when it serves other settings, or when it is not to be trusted. */
export async function findHalf(call: SpoolCall): Promise<Half | undefined> {
  const run = await runDirectory(call);
  if (run === undefined) return undefined;
  try {
    const owner = await ownerOf(call.dataDirectory);
    const [name = '', ...settings] = (await readFile(join(run, call.direction), 'utf8')).split('\n');
    if (!isHalfName(name, call.direction) || settings.join('\n') !== `${call.settings}\n`) return undefined;
    const path = join(run, name);
    for (const directory of [join(run, '..'), run, path]) await requireOwn(directory, owner);
    return (await areUnchanged(call.settingsFiles, join(path, 'times')))
      ? { direction: call.direction, path }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds the half for a call, or makes it, in place of one with other settings.
 *
 * @returns undefined where there is no server run to tie it to, or while a settings file is so young that its next change might not
 *   show in its time
 * @throws {@link LocalFileError} or {@link PermissionError} when the spool cannot be made, or is not the server's own
 */
export async function makeHalf(call: SpoolCall): Promise<Half | undefined> {
  const found = await findHalf(call);
  const run = await runDirectory(call);
  if (found !== undefined || run === undefined || call.settings.includes('\n')) return found;
  const root = join(run, '..');
  try {
    const owner = await ownerOf(call.dataDirectory);
    for (const directory of [root, run]) {
      await makeDirectory(directory);
      await requireOwn(directory, owner);
    }
    return await makeNewHalf(run, call);
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? fileError(`cannot use the spool ${root}`, root, error) : error;
  }
}

/** Whether calls still find this half, and nobody but its owner has access to it. */
export async function isInPlace(half: Half, call: SpoolCall): Promise<boolean> {
  return (await findHalf(call))?.path === half.path;
}

/** Removes a half with all that is in it. Calls that name it find nothing, which is as good as no half. */
export async function removeHalf(half: Half): Promise<void> {
  await rm(half.path, { recursive: true, force: true });
}

async function makeNewHalf(run: string, call: SpoolCall): Promise<Half | undefined> {
  const path = await mkdtemp(join(run, `${call.direction}.`));
  try {
    for (const folder of [...foldersOf[call.direction], 'times']) await mkdir(join(path, folder), 0o700);
    if (await markTimes(call.settingsFiles, join(path, 'times'))) {
      await writeFile(join(path, 'pointer'), `${basename(path)}\n${call.settings}\n`, { mode: 0o600 });
      await rename(join(path, 'pointer'), join(run, call.direction));
      return { direction: call.direction, path };
    }
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
  await rm(path, { recursive: true, force: true });
  return undefined;
}

async function runDirectory({ dataDirectory }: SpoolCall): Promise<string | undefined> {
  const run = await readServerRun(dataDirectory);
  return run === undefined ? undefined : join(dataDirectory, 'pg_wal', spoolName, run);
}

function isHalfName(name: string, direction: Direction): boolean {
  return name.startsWith(`${direction}.`) && /^[a-z]+\.\w+$/.test(name);
}

interface Owner {
  readonly uid: number;
  readonly device: number;
}

/** PostgreSQL runs only as the owner of its data directory. */
async function ownerOf(dataDirectory: string): Promise<Owner> {
  const [directory, wal] = [await stat(dataDirectory), await stat(join(dataDirectory, 'pg_wal'))];
  return { uid: directory.uid, device: wal.dev };
}

async function requireOwn(path: string, owner: Owner): Promise<void> {
  const problem = problemOf(await lstat(path), owner);
  if (problem === undefined) return;
  throw new LocalFileError(`cannot use the spool ${path}: ${problem}`, {
    hint: `Remove ${path}; Seawall makes it anew. Until then every call does its work itself.`,
  });
}

function problemOf(stats: Stats, owner: Owner): string | undefined {
  if (!stats.isDirectory()) return 'it is no directory';
  if (stats.uid !== owner.uid || (stats.mode & 0o777) !== 0o700) return "it does not belong to the server's user alone";
  return stats.dev === owner.device ? undefined : 'it is not on the file system of pg_wal';
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

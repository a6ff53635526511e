import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { parseWalFileName } from '../../postgres/wal-name.ts';

/**
 * The file that a push means: `000000010000000000000002`, `pg_wal/000000010000000000000002`, or the absolute path of that very file.
 *
 * @throws {@link UsageError} for every other file
 */
export async function sourceIn(dataDirectory: string, given: string): Promise<string> {
  const fileName = basename(given);
  const walDirectory = join(dataDirectory, 'pg_wal');
  const isBare = given === fileName || given === `pg_wal/${fileName}`;
  const isThere = isBare || (isAbsolute(given) && (await real(dirname(given))) === (await real(walDirectory)));
  if (parseWalFileName(fileName) !== undefined && isThere) return join(walDirectory, fileName);
  throw new UsageError(`not a WAL file in ${walDirectory}: ${JSON.stringify(given)}`, {
    hint: "Give the client the file's name, %f in archive_command.",
  });
}

/**
 * Where a fetched file goes: a path relative to the data directory, or an absolute one, and inside the data directory (or `pg_wal`, which
 * may be a link to elsewhere) in either case.
 *
 * @throws {@link UsageError} for every other path
 */
export async function destinationIn(dataDirectory: string, given: string): Promise<string> {
  const path = resolve(dataDirectory, given);
  if (!given.includes('\0') && !given.endsWith('/')) {
    if (isInside(dataDirectory, path)) return path;
    const parent = isAbsolute(given) ? await real(dirname(path)) : undefined;
    for (const allowed of [dataDirectory, join(dataDirectory, 'pg_wal')]) {
      const realAllowed = await real(allowed);
      if (parent === undefined || realAllowed === undefined) continue;
      if (parent === realAllowed || isInside(realAllowed, parent)) return path;
    }
  }
  throw new UsageError(`not a path inside ${dataDirectory}: ${JSON.stringify(given)}`, {
    hint: 'Give the client the destination, %p in restore_command.',
  });
}

function isInside(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && way !== '..' && !way.startsWith('../');
}

async function real(path: string): Promise<string | undefined> {
  return await realpath(path).catch(() => undefined);
}

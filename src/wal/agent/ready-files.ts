import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseWalFileName } from '../../postgres/wal-name.ts';
import { fileError } from '../../util/file-error.ts';

const readyEnding = '.ready';

/** Where PostgreSQL says which files wait for archive_command. */
export function archiveStatusDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'pg_wal', 'archive_status');
}

/** The files that wait for archive_command, in the order in which PostgreSQL calls it. */
export async function listReady(dataDirectory: string): Promise<string[]> {
  const directory = archiveStatusDirectory(dataDirectory);
  const names = await readdir(directory).catch((error: unknown) => {
    throw fileError(`cannot list ${directory}`, directory, error);
  });
  return names
    .filter((name) => name.endsWith(readyEnding))
    .map((name) => name.slice(0, -readyEnding.length))
    .filter((name) => parseWalFileName(name) !== undefined)
    .sort(compareReady);
}

/** Whether PostgreSQL still waits for this file to be archived. */
export async function isReady(dataDirectory: string, fileName: string): Promise<boolean> {
  return await access(join(archiveStatusDirectory(dataDirectory), fileName + readyEnding)).then(
    () => true,
    () => false,
  );
}

/**
 * The order of {@link listReady}: timeline histories first, then by name.
 *
 * @see postgres src/backend/postmaster/pgarch.c, ready_file_comparator
 */
export function compareReady(one: string, other: string): number {
  const [isHistory, isOtherHistory] = [one.endsWith('.history'), other.endsWith('.history')];
  if (isHistory !== isOtherHistory) return isHistory ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}

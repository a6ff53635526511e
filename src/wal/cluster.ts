import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IntegrityError } from '../errors.ts';
import { readControlFile } from '../postgres/control-file.ts';

/** What the data directory tells of the cluster whose WAL it is. */
export interface Cluster {
  readonly systemIdentifier: bigint;
  readonly segmentSizeBytes: number;
}

/**
 * The data directory that a WAL file's path belongs to: the one above `pg_wal`, or the working directory, where PostgreSQL runs
 * its commands (`pg_wal` may be a link to elsewhere), or the given one. Undefined when none of them is a data directory.
 *
 * @param walPath - `%p`: of the file to push, or of the destination to fetch to
 * @param given - what the caller knows, such as PGDATA
 */
export async function findDataDirectory(walPath: string, given?: string): Promise<string | undefined> {
  for (const candidate of [dirname(dirname(walPath)), '.', given]) {
    if (candidate !== undefined && (await isReadable(join(candidate, 'global', 'pg_control')))) return candidate;
  }
  return undefined;
}

/**
 * Reads pg_control of the data directory, where there is one. Throws as {@link readControlFile}.
 *
 * @param acceptUnknown - take a pg_control that cannot be read, as of a newer PostgreSQL, for none
 */
export async function readCluster(
  dataDirectory: string | undefined,
  { acceptUnknown, signal }: { readonly acceptUnknown: boolean; readonly signal: AbortSignal },
): Promise<Cluster | undefined> {
  if (dataDirectory === undefined) return undefined;
  try {
    return await readControlFile(dataDirectory, signal);
  } catch (error) {
    if (acceptUnknown && error instanceof IntegrityError) return undefined;
    throw error;
  }
}

/** Whether the data directory is that of a standby: then recovery goes on by streaming when the archive has no answer. */
export async function isStandby(dataDirectory: string | undefined): Promise<boolean> {
  return dataDirectory !== undefined && (await isReadable(join(dataDirectory, 'standby.signal')));
}

async function isReadable(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

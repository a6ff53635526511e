import { lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IntegrityError, systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';

/** The directories that a restore creates as the parts ask for them, each once. */
export interface Directories {
  /**
   * Creates the directory (0700) and what is missing above it.
   *
   * @throws {@link IntegrityError} when something else is in its place, which only a damaged or hostile backup can bring about
   */
  ensure(directory: string): Promise<void>;
  /** All of them, the roots included. */
  paths(): Iterable<string>;
}

/** @param roots - absolute paths that exist; nothing is created above them */
export function createDirectories(roots: readonly string[]): Directories {
  const known = new Map<string, Promise<void>>(roots.map((root) => [root, Promise.resolve()]));
  const ensure = (directory: string): Promise<void> => {
    let created = known.get(directory);
    if (created === undefined) {
      created = ensure(dirname(directory)).then(() => makeDirectory(directory));
      known.set(directory, created);
    }
    return created;
  };
  return { ensure, paths: () => known.keys() };
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, 0o700);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw fileError(`cannot create ${directory}`, directory, error);
    if ((await lstat(directory)).isDirectory()) return;
    throw new IntegrityError(`cannot create ${directory}: the backup holds a file of that name as well`, {
      cause: error,
    });
  }
}

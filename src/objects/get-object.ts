import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Context } from '../context.ts';
import { LocalFileError, systemErrorCode } from '../errors.ts';
import type { Repository } from '../repository/repository.ts';
import { writeFileAtomically } from '../util/atomic-file.ts';
import { fileError } from '../util/file-error.ts';
import { type Decoding, readObject } from './read-object.ts';

/**
 * Writes any object of a repository's store into a local file that does not exist yet.
 *
 * @param destination - the file, or a directory in which it gets the object's own name
 * @returns the path of the file
 * @throws {@link NotFoundError} when there is no such object, {@link LocalFileError} when the file is there already
 */
export async function getObject(
  repository: Repository,
  key: string,
  destination: string,
  decoding: Decoding,
  context: Context,
): Promise<string> {
  const isDirectory = await stat(destination).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const path = isDirectory ? join(destination, basename(key)) : destination;
  const body = await readObject(repository, key, decoding, context);
  let failure: unknown;
  try {
    await writeFileAtomically(path, () => watched(body), { ifAbsent: true, signal: context.signal });
    return path;
  } catch (error) {
    if (error === failure || systemErrorCode(error) === undefined) throw error;
    if (systemErrorCode(error) !== 'EEXIST') throw fileError(`cannot write ${path}`, path, error);
    throw new LocalFileError(`cannot write ${path}: it exists already`, {
      cause: error,
      hint: 'Choose another name, or remove the file first.',
    });
  }

  /** Tells a failure to read the object from one to write the file. */
  async function* watched(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      failure = error;
      throw error;
    }
  }
}

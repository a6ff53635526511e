import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { noneCodec } from '../codec/none.ts';
import type { Context } from '../context.ts';
import { AlreadyExistsError, LocalFileError, UsageError } from '../errors.ts';
import { encodeObject } from '../repository/object-coding.ts';
import type { Repository } from '../repository/repository.ts';
import { fileError } from '../util/file-error.ts';
import { keyOfPath } from './find-objects.ts';

export interface PutObjectOptions {
  /** With its suffix behind the key. */
  readonly compress: boolean;
  readonly encrypt: boolean;
  /** Whether an object that is there already is replaced. */
  readonly overwrite: boolean;
}

/**
 * Stores a local file in a repository's store, as it is or as the repository writes objects.
 *
 * @param destination - path in the store, without the suffix
 * @returns the key under which it is stored
 * @throws {@link AlreadyExistsError} when that is taken, unless it is to be overwritten
 * @throws {@link LocalFileError} when the file cannot be read
 * @throws {@link UsageError} when no object is named, or it would be encrypted under the name of a JSON object, which is never decrypted
 */
export async function putObject(
  repository: Repository,
  path: string,
  destination: string,
  { compress, encrypt, overwrite }: PutObjectOptions,
  context: Context,
): Promise<string> {
  await requireFile(path);
  const codec = compress ? repository.codec : noneCodec;
  const stem = keyOfPath(destination);
  if (stem === '' || destination.endsWith('/')) {
    throw new UsageError(`cannot store ${path} as ${JSON.stringify(destination)}: that names no object`, {
      hint: 'Say what the object is to be called, not only its folder.',
    });
  }
  const key = codec.suffix === '' ? stem : `${stem}.${codec.suffix}`;
  if (encrypt && repository.cipher !== undefined && key.endsWith('.json')) {
    throw new UsageError(`cannot store ${path} as ${key}: JSON objects are not encrypted`, {
      hint: 'Add --no-encrypt, or choose another name.',
    });
  }
  const writer = encrypt ? repository : { ...repository, cipher: undefined };
  const body = () => encodeObject(writer, readLocal(path), codec);
  try {
    await repository.store.put(key, body, { ifAbsent: !overwrite, signal: context.signal });
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    throw new AlreadyExistsError(`cannot store ${path}: ${key} already exists in ${repository.store.location}`, {
      cause: error,
      hint: 'Choose another key; --force replaces what is there, for good.',
    });
  }
  return key;
}

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(`cannot read ${path}`, path, error);
  });
  if (!found.isFile()) throw new LocalFileError(`cannot store ${path}: it is not a regular file`);
}

async function* readLocal(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (error) {
    throw fileError(`cannot read ${path}`, path, error);
  }
}

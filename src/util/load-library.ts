import { ConfigError } from '../errors.ts';

/**
 * Loads a package that only some settings need, at the moment of need.
 *
 * @throws {@link ConfigError} when it is not installed or does not run on this platform
 */
export async function loadLibrary<T>(name: string, load: () => Promise<T> | T): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new ConfigError(`cannot load the package ${name}`, {
      cause: error,
      hint: `Install it with 'npm install ${name}', on a platform that it supports.`,
    });
  }
}

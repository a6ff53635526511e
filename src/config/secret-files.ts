import { readFile } from 'node:fs/promises';
import { ConfigError, describeError } from '../errors.ts';
import type { Environment } from '../storage/environment.ts';

/** The secrets that reach us by environment; each may also be given as `<NAME>_FILE`, the path of a file that holds it. */
export const secretVariables: readonly string[] = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AZURE_STORAGE_KEY',
  'AZURE_STORAGE_ACCESS_KEY',
  'AZURE_STORAGE_SAS_TOKEN',
  'AZURE_STORAGE_CONNECTION_STRING',
  'AZURE_CLIENT_SECRET',
  'PGPASSWORD',
];

/**
 * The environment with the contents of every `<secret>_FILE` put in under the secret's own name (a trailing line break is dropped). A
 * secret that is set directly wins.
 *
 * @throws {@link ConfigError} when such a file cannot be read
 */
export async function withSecretFiles(environment: Environment): Promise<Environment> {
  const read: Record<string, string> = {};
  for (const name of secretVariables) {
    const path = environment[`${name}_FILE`];
    if (path === undefined || path === '' || environment[name] !== undefined) continue;
    try {
      read[name] = (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      throw new ConfigError(`cannot read ${name}_FILE: ${describeError(error)}`, { cause: error });
    }
  }
  return { ...environment, ...read };
}

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, describeError } from '../../errors.ts';
import type { Environment } from '../../storage/environment.ts';
import { parseYaml } from '../parse-yaml.ts';

/** A configuration file of WAL-G's: its settings by name, in capitals. */
export interface WalgConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/** The endings that are looked for, in WAL-G's order; those that we cannot read are found all the same, lest they be passed over. */
const endings = ['json', 'toml', 'yaml', 'yml', 'properties', 'props', 'prop', 'hcl', 'tfvars', 'dotenv', 'env', 'ini'];

/** The file that WAL-G would read: the one that is named, otherwise `.walg.<ending>` in the home directory. */
export function walgConfigPath(named: string | undefined, environment: Environment): string | undefined {
  if (named !== undefined) return named;
  if (environment['WALG_CONFIG_PATH']) return environment['WALG_CONFIG_PATH'];
  const home = environment['HOME'];
  return home ? endings.map((ending) => join(home, `.walg.${ending}`)).find((path) => existsSync(path)) : undefined;
}

/**
 * Reads a flat map of settings as JSON, YAML or `NAME=value` lines, by the ending of the file's name. Case is of no meaning in the names.
 *
 * @throws {@link ConfigError} when it cannot be read, is in another form, or is not such a map
 */
export async function readWalgConfigFile(path: string): Promise<WalgConfigFile> {
  const parse = parserFor(path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`cannot read configuration file ${path}: ${describeError(error)}`, {
      cause: error,
      hint: 'Check the path after --config (or in WALG_CONFIG_PATH) and that this user may read it.',
    });
  }
  let document: unknown;
  try {
    document = await parse(text);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`cannot parse configuration file ${path}: ${describeError(error)}`, { cause: error });
  }
  return { path, values: valuesOf(document ?? {}, path) };
}

function parserFor(path: string): (text: string) => Promise<unknown> {
  const ending = /\.([^./]*)$/.exec(path)?.[1]?.toLowerCase();
  switch (ending) {
    // Numbers stay texts, digit by digit: a key of nothing but digits is one to YAML.
    case 'json':
      return async (text) => (await import('lossless-json')).parse(text, undefined, (digits) => digits);
    case 'yaml':
    case 'yml':
      return (text) => parseYaml(text, path, { schema: 'failsafe' });
    case 'env':
    case 'dotenv':
      // Loaded only for such a file: node:util takes 4 ms, and PostgreSQL waits for each call.
      return async (text) => (await import('node:util')).parseEnv(text);
    default:
      throw new ConfigError(`cannot read configuration file ${path}: its ending says neither JSON, YAML nor env`, {
        hint: "Write it as .json, .yaml or .env with the same names; of WAL-G's other forms (TOML, INI, HCL, properties) none is read.",
      });
  }
}

function valuesOf(document: unknown, path: string): Record<string, string> {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ConfigError(`configuration file ${path} is not a map of settings`, {
      hint: 'Write one setting of WAL-G per line, for example `WALG_S3_PREFIX: s3://bucket/prefix`.',
    });
  }
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [
      name.toUpperCase(),
      typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? ''),
    ]),
  );
}

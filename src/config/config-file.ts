import { readFile } from 'node:fs/promises';
import { ConfigError, describeError, systemErrorCode } from '../errors.ts';
import { closest } from '../util/closest.ts';
import { parseYaml } from './parse-yaml.ts';
import { type SettingName, settingNames } from './settings.ts';

/** Read when `--config` and SEAWALL_CONFIG name no other; it need not exist. */
export const defaultConfigPath = '/etc/seawall/config.yaml';

/** A configuration file's entries, by setting, as texts. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
}

/**
 * Reads a YAML file of `setting: value` lines.
 *
 * @param path - the file that was asked for; undefined reads {@link defaultConfigPath} where that exists
 * @throws {@link ConfigError} when it cannot be read, is not a map of settings, or holds an unknown one
 */
export async function readConfigFile(path: string | undefined): Promise<ConfigFile | undefined> {
  const filePath = path ?? defaultConfigPath;
  let text: string;
  try {
    text = await readFile(filePath, 'utf8');
  } catch (error) {
    if (path === undefined && systemErrorCode(error) === 'ENOENT') return undefined;
    throw new ConfigError(`cannot read configuration file ${filePath}: ${describeError(error)}`, {
      cause: error,
      hint: 'Check the path after --config (or in SEAWALL_CONFIG) and that this user may read it.',
    });
  }
  return { path: filePath, values: parseEntries(await parseYaml(text, filePath), filePath) };
}

function parseEntries(document: unknown, filePath: string): ConfigFile['values'] {
  if (document === null) return {};
  if (typeof document !== 'object' || Array.isArray(document)) {
    throw new ConfigError(`configuration file ${filePath} is not a map of settings`, {
      hint: 'Write one setting per line, for example `repository: s3://bucket/prefix`.',
    });
  }
  const values: Partial<Record<SettingName, string>> = {};
  for (const [key, value] of Object.entries(document)) {
    const name = settingNames.find((candidate) => candidate === key);
    if (name === undefined) throw unknownSetting(key, filePath);
    if (typeof value === 'object') throw new ConfigError(`${key} in ${filePath} must be a single value`);
    values[name] = String(value);
  }
  return values;
}

function unknownSetting(key: string, filePath: string): ConfigError {
  const near = closest(key, settingNames);
  return new ConfigError(`unknown setting ${JSON.stringify(key)} in ${filePath}`, {
    hint:
      near === undefined
        ? 'Run `seawall config show` to see every setting.'
        : `Did you mean ${JSON.stringify(near)}? Run \`seawall config show\` to see every setting.`,
  });
}

import { ConfigError, describeError, UsageError } from '../errors.ts';
import type { Environment } from '../storage/environment.ts';
import { flagOf, type SettingName, type Settings, settingNames, settingsTable, variableOf } from './settings.ts';
import { refuseWalgSettings } from './walg/environment.ts';
import { walgRepository } from './walg/repository.ts';

/** The settings of one call, each with the place it came from. */
export interface ResolvedSettings {
  readonly values: Settings;
  /** `--flag`, `VARIABLE`, the file's path, or `default`. */
  readonly origins: Readonly<Record<SettingName, string>>;
}

/** Where values may come from, strongest first. */
export interface SettingSources {
  /** Texts of the flags that were given, by setting. */
  readonly flags: Readonly<Partial<Record<SettingName, string>>>;
  readonly environment: Environment;
  /** Contents of the configuration file, by setting. */
  readonly file?: { readonly path: string; readonly values: Readonly<Partial<Record<SettingName, string>>> };
  /** In place of those of the table. */
  readonly defaults?: Partial<Settings>;
}

/**
 * Settles every setting: flag, then environment (ours, then the names of other tools), then file, then default. An
 * empty variable counts as not set. A repository that no setting names may be named by WAL-G's variables.
 *
 * @throws {@link UsageError} for a bad flag, {@link ConfigError} for a bad variable or file entry
 */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const name of settingNames) {
    const found = findText(name, sources);
    values[name] =
      found === undefined ? (sources.defaults?.[name] ?? settingsTable[name].default) : parseValue(name, found);
    origins[name] = found?.origin ?? 'default';
  }
  return { values: values as unknown as Settings, origins: origins as Record<SettingName, string> };
}

interface FoundText {
  readonly text: string;
  readonly origin: string;
}

function findText(name: SettingName, sources: SettingSources): FoundText | undefined {
  const flag = sources.flags[name];
  if (flag !== undefined) return { text: flag, origin: flagOf(name) };
  for (const variable of [variableOf(name), ...settingsTable[name].aliases]) {
    const text = sources.environment[variable];
    if (text !== undefined && text !== '') return { text, origin: variable };
  }
  const text = sources.file?.values[name];
  if (text !== undefined && sources.file !== undefined) return { text, origin: sources.file.path };
  return name === 'repository' ? findWalgRepository(sources.environment) : undefined;
}

function findWalgRepository(environment: Environment): FoundText | undefined {
  const found = walgRepository(environment);
  if (found === undefined) return undefined;
  refuseWalgSettings(environment);
  return { text: found.url, origin: found.origin };
}

function parseValue(name: SettingName, found: FoundText): unknown {
  try {
    const { parse, aliasParsers } = settingsTable[name];
    return (aliasParsers?.[found.origin] ?? parse)(found.text);
  } catch (error) {
    const isFlag = found.origin === flagOf(name);
    const where = isFlag || found.origin === variableOf(name) ? found.origin : `${name} (from ${found.origin})`;
    const shown = settingsTable[name].isSecret ? '' : ` ${JSON.stringify(found.text)}`;
    const message = `bad value${shown} for ${where}: ${describeError(error)}`;
    throw isFlag ? new UsageError(message, { cause: error }) : new ConfigError(message, { cause: error });
  }
}

import { ConfigError, describeError, UsageError } from '../errors.ts';
import type { Environment } from '../storage/environment.ts';
import { flagOf, type SettingName, type Settings, settingNames, settingsTable, variableOf } from './settings.ts';

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
}

/**
 * Settles every setting: flag, then environment (ours, then the names of other tools), then file, then default. An
 * empty variable counts as not set.
 *
 * @throws {@link UsageError} for a bad flag, {@link ConfigError} for a bad variable or file entry
 */
export function resolveSettings(sources: SettingSources): ResolvedSettings {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const name of settingNames) {
    const found = findText(name, sources);
    values[name] = found === undefined ? settingsTable[name].default : parseValue(name, found);
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
  return text === undefined || sources.file === undefined ? undefined : { text, origin: sources.file.path };
}

function parseValue(name: SettingName, found: FoundText): unknown {
  try {
    return settingsTable[name].parse(found.text);
  } catch (error) {
    const isFlag = found.origin === flagOf(name);
    const where = isFlag || found.origin === variableOf(name) ? found.origin : `${name} (from ${found.origin})`;
    const message = `bad value ${JSON.stringify(found.text)} for ${where}: ${describeError(error)}`;
    throw isFlag ? new UsageError(message, { cause: error }) : new ConfigError(message, { cause: error });
  }
}

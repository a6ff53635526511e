import { UsageError } from '../errors.ts';

/** PostgreSQL settings by name, in the order in which they are to be written. */
export type SettingValues = Readonly<Record<string, string>>;

export interface ConfigurationChange {
  /** Names of settings whose lines go. */
  readonly remove: readonly string[];
  /** Settings to append; earlier lines that set them go, too. */
  readonly add: SettingValues;
  /** One line above the appended settings: who, when, why. */
  readonly comment: string;
}

export interface ChangedConfiguration {
  readonly text: string;
  /** The lines that went, as they were. */
  readonly removed: readonly string[];
}

/**
 * Changes the text of a postgresql.auto.conf or postgresql.conf: takes out lines, keeps all others as they are, and appends
 * settings under a comment, where they win over every line before them.
 *
 * @throws {@link UsageError} when a value cannot be written in such a file
 */
export function changeConfiguration(text: string, change: ConfigurationChange): ChangedConfiguration {
  const going = new Set([...change.remove, ...Object.keys(change.add)]);
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const isGoing = (line: string): boolean => going.has(settingNameOf(line) ?? '');
  const added = Object.entries(change.add).map(([name, value]) => formatSetting(name, value));
  const kept = lines.filter((line) => !isGoing(line));
  return {
    text: [...kept, ...(added.length === 0 ? [] : [`# ${change.comment}`, ...added])]
      .map((line) => `${line}\n`)
      .join(''),
    removed: lines.filter(isGoing),
  };
}

/**
 * A line of a configuration file: `name = 'value'`, with quotes and backslashes doubled.
 *
 * @throws {@link UsageError} when the value has more than one line; ALTER SYSTEM refuses that, too
 * @see postgres src/backend/utils/misc/guc.c, write_auto_conf_file
 */
export function formatSetting(name: string, value: string): string {
  if (/[\0\r\n]/.test(value)) {
    throw new UsageError(`the value of ${name} has more than one line: ${JSON.stringify(value)}`);
  }
  return `${name} = '${value.replace(/['\\]/g, '$&$&')}'`;
}

/** The setting that a line sets; the equals sign is optional and the case does not matter. Undefined for comments and empty lines. */
function settingNameOf(line: string): string | undefined {
  return /^\s*([A-Za-z_][\w$.]*)/.exec(line)?.[1]?.toLowerCase();
}

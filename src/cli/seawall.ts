import { readConfigFile } from '../config/config-file.ts';
import { resolveSettings } from '../config/resolve.ts';
import { withSecretFiles } from '../config/secret-files.ts';
import { flagOf, type SettingName, settingsTable } from '../config/settings.ts';
import { withPlainNames } from '../config/walg/environment.ts';
import { type CommandDefinition, commonSettings } from './command.ts';
import { commands } from './commands/index.ts';
import { createLogger } from './logger.ts';
import type { CallSettings, Personality, SettingOption } from './personality.ts';
import { reportError } from './report-error.ts';

/** The program under its own name. */
export const seawall: Personality = {
  name: 'seawall',
  introduction:
    "Archives PostgreSQL's write-ahead log to object storage, takes base backups, and brings a cluster back to any moment.",
  versionFlags: '-V, --version',
  versionText: (version) => version,
  commands,
  commonOptions: [],
  settingOptions: ({ settings }: CommandDefinition) => [
    { key: 'config', flags: '--config <path>', description: 'configuration file (YAML, one setting per line)' },
    ...[...new Set([...settings, ...commonSettings])].flatMap(optionsOf),
  ],
  resolve,
  createLogger,
  reportError,
};

function optionsOf(name: SettingName): SettingOption[] {
  const { placeholder, doc, hasOffFlag } = settingsTable[name];
  const flag = flagOf(name);
  const option = { key: name, flags: `${flag} ${placeholder}`, description: doc };
  if (hasOffFlag !== true) return [option];
  return [option, { key: name, flags: flag.replace('--', '--no-'), description: `the same as ${flag} off` }];
}

async function resolve(flags: Readonly<Record<string, string>>): Promise<CallSettings> {
  const environment = withPlainNames(await withSecretFiles(process.env));
  const configPath = flags['config'] ?? (environment['SEAWALL_CONFIG'] || undefined);
  const file = await readConfigFile(configPath);
  const resolved = resolveSettings({ flags, environment, ...(file === undefined ? {} : { file }) });
  return { resolved, configPath, environment };
}

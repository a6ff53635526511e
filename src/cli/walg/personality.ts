import { resolveSettings } from '../../config/resolve.ts';
import { secretVariables, withSecretFiles } from '../../config/secret-files.ts';
import { secretSettingVariables, settingNames, settingsTable, variableOf } from '../../config/settings.ts';
import { readWalgConfigFile, walgConfigPath } from '../../config/walg/config-file.ts';
import {
  knownWalgNames,
  refuseWalgSettings,
  walgDefaults,
  warningOnWalgSettings,
  withPlainNames,
} from '../../config/walg/environment.ts';
import { isSecretName } from '../../config/walg/names.ts';
import type { CallSettings, Personality, SettingOption } from '../personality.ts';
import { walgCommands } from './index.ts';
import { createWalgLogger, reportWalgError } from './log-lines.ts';

/** The program as WAL-G: its commands, settings, configuration files, outputs and log lines, with Seawall's safety. */
export const walg: Personality = {
  name: 'wal-g',
  introduction: "Seawall, which answers here as WAL-G does. The README's “Coming from WAL-G” tells what differs.",
  versionFlags: '-v, --version',
  versionText: (version) => `wal-g version v${version}\tseawall\tPostgreSQL`,
  commands: walgCommands,
  commonOptions: [
    { key: 'config', flags: '--config <path>', description: 'configuration file: JSON, YAML or env' },
    { key: 'turbo', flags: '--turbo', description: 'no throttling, which there is none of', isHidden: true },
    { key: 'WALG_TARGET_STORAGE', flags: '--target-storage <name>', description: 'default', isHidden: true },
    ...knownWalgNames().filter(isFlag).map(optionOf),
  ],
  hasSwitchValues: true,
  settingOptions: () => [],
  resolve,
  createLogger: createWalgLogger,
  reportError: reportWalgError,
};

/** A command line is for all to see, so secrets have no flag. */
function isFlag(name: string): boolean {
  const isSecret = isSecretName(name) || secretVariables.includes(name) || secretSettingVariables.includes(name);
  return !isSecret && !name.startsWith('SEAWALL_');
}

/** WAL-G has a flag for each of its settings: `--walg-s3-prefix` for WALG_S3_PREFIX, `--pghost` for PGHOST. */
function optionOf(name: string): SettingOption {
  return {
    key: name,
    flags: `--${name.toLowerCase().replaceAll('_', '-')} <value>`,
    description: name,
    isHidden: true,
  };
}

/**
 * As WAL-G does, everything ends up in the environment: the SDKs of the clouds, and the agent, find it there. Flags win over variables, and
 * variables over the file.
 */
async function resolve(flags: Readonly<Record<string, string>>): Promise<CallSettings> {
  const { config, turbo, ...values } = flags;
  const configPath = walgConfigPath(config, process.env);
  const file = configPath === undefined ? undefined : await readWalgConfigFile(configPath);
  for (const [name, value] of Object.entries(file?.values ?? {})) process.env[name] ||= value;
  for (const [name, value] of Object.entries(values)) giveByFlag(name, value);

  const environment = withPlainNames(await withSecretFiles(process.env));
  refuseWalgSettings(environment);
  return {
    resolved: resolveSettings({ flags: {}, environment, defaults: walgDefaults }),
    configPath,
    environment,
    warning: warningOnWalgSettings(environment, Object.keys(file?.values ?? {})),
  };
}

/** A flag wins over the variable of ours for the same setting, too. */
function giveByFlag(name: string, value: string): void {
  for (const setting of settingNames) {
    if (settingsTable[setting].aliases.includes(name)) delete process.env[variableOf(setting)];
  }
  process.env[name] = value;
}

import { readConfigFile } from '../config/config-file.ts';
import { resolveSettings } from '../config/resolve.ts';
import { withSecretFiles } from '../config/secret-files.ts';
import { type SettingName, type Settings, settingNames, settingsTable, variableOf } from '../config/settings.ts';
import { readWalgConfigFile } from '../config/walg/config-file.ts';
import { refuseWalgSettings, walgDefaults, withPlainNames } from '../config/walg/environment.ts';
import { prefixNames } from '../config/walg/repository.ts';
import type { Repository } from '../repository/repository.ts';
import type { Environment } from '../storage/environment.ts';
import type { CommandCall } from './command.ts';
import { openRepository } from './open-repository.ts';

/**
 * Opens another repository than that of the settings: by its URL, with the settings of the call, or by a configuration file (WAL-G's
 * where the program is called so), whose entries then win over variables.
 *
 * @throws {@link ConfigError} when the file cannot be read, or names no repository
 */
export async function openOtherRepository(call: CommandCall, urlOrPath: string): Promise<Repository> {
  if (urlOrPath.includes('://')) return await call.openRepository({ repository: urlOrPath });
  const { settings, environment } = await (call.personality === 'wal-g' ? fromWalgFile : fromFile)(call, urlOrPath);
  return await openRepository(settings, environment, call.context);
}

interface OtherSettings {
  readonly settings: Settings;
  readonly environment: Environment;
}

async function fromFile(call: CommandCall, path: string): Promise<OtherSettings> {
  const file = await readConfigFile(path);
  const inFile = settingNames.filter((name) => file?.values[name] !== undefined);
  const environment = without(call.environment, inFile.flatMap(namesOf));
  return {
    settings: resolveSettings({ flags: {}, environment, ...(file === undefined ? {} : { file }) }).values,
    environment,
  };
}

async function fromWalgFile(call: CommandCall, path: string): Promise<OtherSettings> {
  const { values } = await readWalgConfigFile(path);
  const settled = settingNames.filter((name) => namesOf(name).some((variable) => variable in values));
  const names = [...settled.flatMap(namesOf), ...namesOf('repository'), ...prefixNames];
  const environment = withPlainNames(await withSecretFiles({ ...without(call.environment, names), ...values }));
  refuseWalgSettings(environment);
  const { values: settings } = resolveSettings({ flags: {}, environment, defaults: walgDefaults });
  return { settings, environment };
}

function namesOf(name: SettingName): readonly string[] {
  return [variableOf(name), ...settingsTable[name].aliases];
}

function without(environment: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

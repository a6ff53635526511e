import { ConfigError } from '../../errors.ts';
import type { Environment } from '../../storage/environment.ts';
import { foreignKeyNames } from '../encryption-settings.ts';
import { secretVariables } from '../secret-files.ts';
import { type Settings, settingNames, settingsTable, variableOf } from '../settings.ts';
import { ineffectiveNames, needlessNames, passedOnNames, refusedNames, storageNames } from './names.ts';
import { prefixNames } from './repository.ts';

/** WAL-G's defaults, where a user who changes over would notice another one. */
export const walgDefaults: Partial<Settings> = { compression: 'lz4', s3PathStyle: false };

/** The environment with WAL-G's storage settings under their plain names, where they are set as `WALG_…` or `WALE_…` only. */
export function withPlainNames(environment: Environment): Environment {
  const found = storageNames.flatMap((name) => {
    if (environment[name]) return [];
    const value = environment[`WALG_${name}`] || environment[`WALE_${name}`];
    return value ? [[name, value] as const] : [];
  });
  return found.length === 0 ? environment : { ...environment, ...Object.fromEntries(found) };
}

/** Every name by which a setting of WAL-G's can be known here, in capitals. */
export function knownWalgNames(): readonly string[] {
  return [
    ...new Set([
      ...settingNames.flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]),
      ...secretVariables,
      ...secretVariables.map((name) => `${name}_FILE`),
      ...prefixNames,
      ...passedOnNames,
      ...needlessNames,
      ...Object.keys(ineffectiveNames),
      ...Object.keys(refusedNames),
      ...Object.keys(foreignKeyNames),
      ...[...storageNames, ...Object.keys(ineffectiveNames)].flatMap((name) =>
        /^WAL[GE]_/.test(name) ? [] : [`WALG_${name}`, `WALE_${name}`],
      ),
    ]),
  ];
}

/**
 * Refuses settings of WAL-G's without which the outcome would be another one.
 *
 * @throws {@link ConfigError} naming the first
 */
export function refuseWalgSettings(environment: Environment): void {
  for (const [name, hint] of Object.entries(refusedNames)) {
    if (environment[name]) throw new ConfigError(`WAL-G's setting ${name} is not supported`, { hint });
  }
  const storage = environment['WALG_TARGET_STORAGE'];
  if (storage && storage !== 'default') {
    throw new ConfigError(`there is no storage ${JSON.stringify(storage)}: failover storages are not supported`, {
      hint: 'Take WALG_TARGET_STORAGE away, or set it to default.',
    });
  }
}

/** Ours, libpq's, and what the SDKs of the clouds listen to: a configuration file may hold them, too. */
const heardElsewhere = /^(SEAWALL_|PG[A-Z]|AWS_|AZURE_|GOOGLE_)/;

/**
 * A sentence on the settings of WAL-G's that have no effect; undefined when there are none.
 *
 * @param environment - with what stands in the configuration file
 * @param fileNames - the names in there
 */
export function warningOnWalgSettings(environment: Environment, fileNames: readonly string[]): string | undefined {
  const known = new Set(knownWalgNames());
  const set = Object.keys(environment).filter((name) => environment[name] !== '');
  const unknown = [
    ...fileNames.filter((name) => !known.has(name) && !heardElsewhere.test(name)),
    ...set.filter((name) => /^WAL[GE]_/.test(name) && !known.has(name) && !fileNames.includes(name)),
  ];
  const ineffective = set.filter((name) => {
    // The SDK takes on a role for the token of a web identity only.
    if (name === 'AWS_ROLE_ARN') return !environment['AWS_WEB_IDENTITY_TOKEN_FILE'];
    const harmless = ineffectiveNames[name] ?? ineffectiveNames[name.replace(/^WAL[GE]_/, '')];
    return harmless !== undefined && !harmless.includes(environment[name] ?? '');
  });
  const [chosen = '', ...others] = prefixNames.filter((name) => environment[name]);
  const passedOver = others.filter((name) => environment[name] !== environment[chosen]);
  const parts = [
    ...(ineffective.length === 0
      ? []
      : [`settings of WAL-G without effect in Seawall: ${ineffective.toSorted().join(', ')}`]),
    ...(unknown.length === 0 ? [] : [`unknown settings: ${unknown.toSorted().join(', ')}`]),
    ...(passedOver.length === 0
      ? []
      : [`repositories beside that of ${chosen}, not looked at: ${passedOver.join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

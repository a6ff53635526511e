import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEncryptionSettings } from '../config/encryption-settings.ts';
import { flagOf, type SettingName } from '../config/settings.ts';
import type { CommandCall } from './command.ts';

/** The settings that decide which repository is meant and how it is read; the server that recovers may not have our flags and variables. */
const locatingSettings: readonly SettingName[] = [
  'repository',
  's3Endpoint',
  's3Region',
  's3PathStyle',
  'gcsEndpoint',
  'azureEndpointSuffix',
  ...openEncryptionSettings,
];

/** Those of them that are paths; the server has another working directory. */
const pathSettings: readonly SettingName[] = ['libsodiumKeyFile', 'openpgpKeyFile', 'openpgpPassphraseFile'];

/**
 * The restore_command that fetches from the repository of this call: our launcher by its full path, with the settings that came by flag
 * or variable. What stands in the configuration file is read from there again. Credentials and keys are never part of it.
 */
export function restoreCommandLine(call: Pick<CommandCall, 'resolved' | 'configPath'>): string {
  const { values, origins } = call.resolved;
  const words = [shellWord(launcherPath()), 'wal-fetch', '"%f"', '"%p"'];
  if (call.configPath !== undefined) words.push('--config', shellWord(resolve(call.configPath)));
  for (const name of locatingSettings) {
    const value = values[name];
    // A path as origin is that of the configuration file.
    if (value === undefined || origins[name] === 'default' || origins[name].includes('/')) continue;
    const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
    words.push(flagOf(name), shellWord(pathSettings.includes(name) ? resolve(text) : text));
  }
  return words.join(' ');
}

/** `bin/seawall` of this installation. */
function launcherPath(): string {
  return fileURLToPath(new URL('../../bin/seawall', import.meta.url));
}

/** Quoted for sh where it needs to be; PostgreSQL replaces `%` itself, so a literal one is doubled. */
function shellWord(text: string): string {
  const word = /^[\w@+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  return word.replaceAll('%', '%%');
}

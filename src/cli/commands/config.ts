import type { ResolvedSettings } from '../../config/resolve.ts';
import { type SettingName, settingNames, settingsTable } from '../../config/settings.ts';
import { UsageError } from '../../errors.ts';
import type { CommandDefinition } from '../command.ts';
import { formatJson, formatTable } from '../output.ts';

/** Every setting with its value, and with `--origin` where it came from. */
export const configCommand: CommandDefinition = {
  name: 'config',
  arguments: [{ notation: '<show>', description: 'show: print every setting' }],
  summary: 'show the settings and where they come from',
  settings: settingNames.filter((name) => !settingsTable[name].isSecret),
  options: [
    { flags: '--origin', description: 'say for each setting where its value comes from' },
    { flags: '--json', description: 'print JSON' },
  ],
  examples: ['seawall config show --origin'],
  run(call) {
    if (call.args[0] !== 'show') {
      return Promise.reject(
        new UsageError(`unknown word after config: ${JSON.stringify(call.args[0])}`, {
          hint: 'Run `seawall config show`.',
        }),
      );
    }
    call.print(call.options['json'] ? formatJson(settingsAsJson(call.resolved)) : settingsAsTable(call));
    return Promise.resolve();
  },
};

function settingsAsJson(resolved: ResolvedSettings): unknown {
  return Object.fromEntries(
    settingNames.map((name) => [name, { value: resolved.values[name] ?? null, origin: resolved.origins[name] }]),
  );
}

function settingsAsTable(call: {
  readonly resolved: ResolvedSettings;
  readonly options: Readonly<Record<string, unknown>>;
}): string {
  const withOrigin = call.options['origin'] === true;
  return formatTable(
    ['setting', 'value', ...(withOrigin ? ['origin'] : [])],
    settingNames.map((name) => [
      name,
      formatValue(name, call.resolved),
      ...(withOrigin ? [call.resolved.origins[name]] : []),
    ]),
  );
}

function formatValue<Name extends SettingName>(name: Name, resolved: ResolvedSettings): string {
  return settingsTable[name].format(resolved.values[name]);
}

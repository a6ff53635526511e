import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config/resolve.ts';
import { type SettingName, settingNames, settingsTable, variableOf } from '../../src/config/settings.ts';

const secrets = settingNames.filter((name) => settingsTable[name].isSecret);

describe('settings that are secrets', () => {
  it('are the keys and the passphrase', () => {
    expect(secrets).toEqual(['libsodiumKey', 'openpgpKey', 'openpgpPassphrase']);
  });

  it.each(secrets)('%s shows itself nowhere', (name: SettingName) => {
    const { values } = resolveSettings({ flags: {}, environment: { [variableOf(name)]: 'c0nfidential' } });
    const value = values[name];
    const shown = [
      String(value),
      JSON.stringify({ values }),
      inspect(values, { depth: 9, showHidden: true }),
      settingsTable[name].format(value as never),
    ];
    for (const text of shown) {
      expect(text).toContain('[hidden]');
      expect(text).not.toContain('c0nfidential');
    }
  });

  it.each(secrets)('%s has a setting beside it for the path of its file', (name) => {
    expect(settingNames).toContain(`${name}File`);
  });
});

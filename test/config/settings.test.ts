import { describe, expect, it } from 'vitest';
import { flagOf, settingNames, settingsTable, variableOf } from '../../src/config/settings.ts';

describe('settings', () => {
  it('derives the flag and the variable from the name', () => {
    expect(flagOf('fetchDeadline')).toBe('--fetch-deadline');
    expect(variableOf('fetchDeadline')).toBe('SEAWALL_FETCH_DEADLINE');
    expect(flagOf('s3SseKmsKeyId')).toBe('--s3-sse-kms-key-id');
  });

  it.each(settingNames)('documents %s and reads back its own default', (name) => {
    const setting = settingsTable[name];
    expect(setting.doc).toMatch(/^[\w].*\.$/);
    const text = setting.format(setting.default as never);
    if (setting.default !== undefined && typeof setting.default !== 'number') {
      expect(setting.parse(text)).toEqual(setting.default);
    }
  });

  it('gives no variable to two settings', () => {
    const variables = settingNames.flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]);
    expect(new Set(variables).size).toBe(variables.length);
  });
});

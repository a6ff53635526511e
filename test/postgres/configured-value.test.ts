import { describe, expect, it } from 'vitest';
import { changeConfiguration } from '../../src/postgres/configuration-file.ts';
import { configuredValue } from '../../src/postgres/configured-value.ts';

describe('the value of a setting in a configuration file', () => {
  it.each([
    ['max_connections = 100', '100'],
    ['max_connections 100 # enough', '100'],
    ["  MAX_CONNECTIONS='200'", '200'],
    ['max_connections = 100\nmax_connections = 300\n', '300'],
    ["max_connections = 'it''s \\'x\\' \\\\'", "it's 'x' \\"],
    ["max_connections = ''", ''],
  ])('of %j is %j', (text, value) => {
    expect(configuredValue(text, 'max_connections')).toBe(value);
  });

  it.each(['', '#max_connections = 100', 'max_connections_extra = 1', 'old.max_connections = 1', 'max_connections ='])(
    'of %j is not there',
    (text) => {
      expect(configuredValue(text, 'max_connections')).toBeUndefined();
    },
  );

  it('is what was written there', () => {
    const value = `it's a \\ "value" = # 'quoted'`;
    const { text } = changeConfiguration("a = 'b'\n", { remove: [], add: { restore_command: value }, comment: 'test' });
    expect(configuredValue(text, 'restore_command')).toBe(value);
  });
});

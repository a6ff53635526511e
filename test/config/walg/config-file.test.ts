import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWalgConfigFile, walgConfigPath } from '../../../src/config/walg/config-file.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'seawall-walg-'));
});
afterEach(() => rmSync(home, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
}

describe('a configuration file of WAL-G’s', () => {
  it.each([
    [
      'walg.json',
      '{\n\t"WALG_S3_PREFIX": "s3://b/p",\n\t"pgport": 5433,\n\t"WALG_LIBSODIUM_KEY": 12345678901234567890123\n}',
    ],
    ['walg.yaml', 'WALG_S3_PREFIX: s3://b/p\nPgPort: 5433\nWALG_LIBSODIUM_KEY: 12345678901234567890123\n'],
    ['.env', '# comment\nWALG_S3_PREFIX=s3://b/p\nexport PGPORT="5433"\nWALG_LIBSODIUM_KEY=12345678901234567890123\n'],
  ])('%s is read, whatever the case of its names, and digits stay as they are', async (name, text) => {
    expect((await readWalgConfigFile(write(name, text))).values).toEqual({
      WALG_S3_PREFIX: 's3://b/p',
      PGPORT: '5433',
      WALG_LIBSODIUM_KEY: '12345678901234567890123',
    });
  });

  it('keeps a nested map as text, and an empty value empty', async () => {
    const path = write('walg.json', '{"WALG_FAILOVER_STORAGES":{"b":{"x":"y"}},"PGHOST":null,"A":true}');
    expect((await readWalgConfigFile(path)).values).toEqual({
      WALG_FAILOVER_STORAGES: '{"b":{"x":"y"}}',
      PGHOST: '',
      A: 'true',
    });
    expect((await readWalgConfigFile(write('empty.yaml', ''))).values).toEqual({});
  });

  it.each([
    ['walg.toml', 'a = 1', /neither JSON, YAML nor env/],
    ['walg', 'a: 1', /neither JSON, YAML nor env/],
    ['list.json', '[1]', /not a map of settings/],
    ['broken.json', '{"a":', /cannot parse configuration file .*broken\.json/],
    ['broken.yaml', 'a: [', /cannot parse configuration file .*broken\.yaml/],
  ])('%s is an error', async (name, text, message) => {
    await expect(readWalgConfigFile(write(name, text))).rejects.toThrow(message);
  });

  it('that is not there is an error', async () => {
    await expect(readWalgConfigFile(join(home, 'nowhere.json'))).rejects.toThrow(/cannot read configuration file/);
  });

  it('is found by flag, by variable, and in the home directory in WAL-G’s order', () => {
    expect(walgConfigPath(undefined, { HOME: home })).toBeUndefined();
    expect(walgConfigPath(undefined, {})).toBeUndefined();
    const yaml = write('.walg.yaml', '');
    expect(walgConfigPath(undefined, { HOME: home })).toBe(yaml);
    const toml = write('.walg.toml', '');
    expect(walgConfigPath(undefined, { HOME: home })).toBe(toml);
    const json = write('.walg.json', '');
    expect(walgConfigPath(undefined, { HOME: home })).toBe(json);
    expect(walgConfigPath(undefined, { HOME: home, WALG_CONFIG_PATH: '/etc/w.json' })).toBe('/etc/w.json');
    expect(walgConfigPath('/flag.yaml', { HOME: home, WALG_CONFIG_PATH: '/etc/w.json' })).toBe('/flag.yaml');
  });
});

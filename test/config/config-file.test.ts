import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfigFile } from '../../src/config/config-file.ts';
import { ConfigError } from '../../src/errors.ts';

describe('readConfigFile', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'seawall-config-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function write(text: string): Promise<string> {
    const path = join(folder, 'config.yaml');
    await writeFile(path, text);
    return path;
  }

  it('reads one setting per line, as texts', async () => {
    const path = await write('# ours\nrepository: s3://bucket/prefix\njobs: 4\ns3PathStyle: true\n');
    expect(await readConfigFile(path)).toEqual({
      path,
      values: { repository: 's3://bucket/prefix', jobs: '4', s3PathStyle: 'true' },
    });
  });

  it('takes an empty file as no settings', async () => {
    expect((await readConfigFile(await write('# nothing yet\n')))?.values).toEqual({});
  });

  it('refuses an unknown setting with the nearest one', async () => {
    const error = await readConfigFile(await write('repositry: x\n')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ hint: expect.stringContaining('Did you mean "repository"?') });
  });

  it.each([
    ['a list', '- repository\n', /is not a map of settings/],
    ['nested values', 'repository:\n  url: x\n', /repository in .* must be a single value/],
    ['broken YAML', 'repository: "x\n', /is not YAML/],
  ])('refuses %s', async (_what, text, message) => {
    await expect(readConfigFile(await write(text))).rejects.toThrow(message);
  });

  it('says which file cannot be read when it was asked for', async () => {
    await expect(readConfigFile(join(folder, 'absent.yaml'))).rejects.toThrow(
      /cannot read configuration file .*absent/,
    );
  });
});

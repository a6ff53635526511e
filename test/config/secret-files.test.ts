import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withSecretFiles } from '../../src/config/secret-files.ts';
import { ConfigError } from '../../src/errors.ts';

describe('withSecretFiles', () => {
  let path: string;
  beforeAll(async () => {
    path = join(await mkdtemp(join(tmpdir(), 'seawall-secret-')), 'key');
    await writeFile(path, 'hunter2\n');
  });
  afterAll(() => rm(join(path, '..'), { recursive: true }));

  it('puts the contents of <secret>_FILE under the name of the secret', async () => {
    const environment = await withSecretFiles({ AWS_SECRET_ACCESS_KEY_FILE: path, HOME: '/h' });
    expect(environment).toMatchObject({ AWS_SECRET_ACCESS_KEY: 'hunter2', HOME: '/h' });
  });

  it('prefers the secret that is set directly', async () => {
    const environment = await withSecretFiles({ PGPASSWORD_FILE: path, PGPASSWORD: 'direct' });
    expect(environment['PGPASSWORD']).toBe('direct');
  });

  it('names the variable whose file cannot be read, never a value', async () => {
    const error = await withSecretFiles({ AZURE_STORAGE_KEY_FILE: `${path}.none` }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ message: expect.stringMatching(/^cannot read AZURE_STORAGE_KEY_FILE: ENOENT/) });
  });
});

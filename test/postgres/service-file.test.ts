import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, LocalFileError } from '../../src/errors.ts';
import { parseService, readService } from '../../src/postgres/service-file.ts';

describe('service', () => {
  it('is one section of the file', () => {
    const text = '# servers\n[one]\nhost=db1\n\n[two]\n  host = db2 \n# port=1\noptions=-c a=b\n';
    expect(parseService(text, 'one')).toEqual({ host: 'db1' });
    expect(parseService(text, 'two')).toEqual({ host: 'db2', options: '-c a=b' });
    expect(parseService(text, 'three')).toBeUndefined();
    expect(parseService('[empty]', 'empty')).toEqual({});
  });

  it('has a value on each line', () => {
    expect(() => parseService('[one]\nhost\n', 'one')).toThrow(ConfigError);
  });
});

describe('reading a service', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seawall-service-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('gives nothing when none is named', async () => {
    expect(await readService({})).toEqual({});
    expect(await readService({ PGSERVICE: '' })).toEqual({});
  });

  it('looks into the file of the user, then into that of the system', async () => {
    const PGSERVICEFILE = join(directory, 'services');
    await writeFile(PGSERVICEFILE, '[one]\nhost=mine\n');
    await writeFile(join(directory, 'pg_service.conf'), '[one]\nhost=shared\n[two]\nhost=db2\n');
    const environment = { PGSERVICEFILE, PGSYSCONFDIR: directory };
    expect(await readService({ ...environment, PGSERVICE: 'one' })).toEqual({ host: 'mine' });
    expect(await readService({ ...environment, PGSERVICE: 'two' })).toEqual({ host: 'db2' });
    await expect(readService({ ...environment, PGSERVICE: 'three' })).rejects.toThrow(/"three", which neither/);
  });

  it('names the file that it cannot read', async () => {
    const reading = readService({ PGSERVICE: 'one', PGSERVICEFILE: directory });
    await expect(reading).rejects.toThrow(LocalFileError);
    await expect(reading).rejects.toThrow(`cannot read the service file ${directory}`);
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { findConnectionParameters } from '../../src/postgres/connection-parameters.ts';

let HOME: string;
const find = (environment: Record<string, string>) => findConnectionParameters({ HOME, ...environment });

beforeAll(async () => {
  HOME = await mkdtemp(join(tmpdir(), 'seawall-home-'));
  await writeFile(
    join(HOME, '.pg_service.conf'),
    '# ours\n[other]\nhost=elsewhere\n\n[main]\nhost = db1\nport=5433\n# user=nobody\nsslmode=require\n\n[broken]\nhost\n',
  );
  await mkdir(join(HOME, '.postgresql'));
  await writeFile(join(HOME, '.postgresql', 'root.crt'), 'PEM');
});

afterAll(() => rm(HOME, { recursive: true }));

describe('connection parameters', () => {
  it('come from the environment', async () => {
    const parameters = await find({
      PGHOST: 'db1',
      PGHOSTADDR: '10.0.0.1',
      PGPORT: '6432',
      PGUSER: 'backup',
      PGDATABASE: 'app',
      PGPASSWORD: 'secret',
      PGPASSFILE: '/etc/pgpass',
      PGAPPNAME: 'nightly',
      PGOPTIONS: '-c work_mem=1MB',
      PGCONNECT_TIMEOUT: '7',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/etc/ca.crt',
      PGSSLMINPROTOCOLVERSION: 'TLSv1.3',
      PGSSLNEGOTIATION: 'direct',
    });
    expect(parameters).toEqual({
      host: 'db1',
      hostAddress: '10.0.0.1',
      port: 6432,
      user: 'backup',
      database: 'app',
      password: 'secret',
      passwordFile: '/etc/pgpass',
      applicationName: 'nightly',
      options: '-c work_mem=1MB',
      connectTimeoutMs: 7000,
      tls: {
        mode: 'verify-full',
        rootCertificate: '/etc/ca.crt',
        certificate: undefined,
        key: undefined,
        minimumVersion: 'TLSv1.3',
        negotiation: 'direct',
      },
    });
  });

  it('have defaults like those of libpq, but for the database', async () => {
    const parameters = await find({ PGHOST: '' });
    expect(parameters).toMatchObject({
      port: 5432,
      user: userInfo().username,
      database: 'postgres',
      password: undefined,
      passwordFile: join(HOME, '.pgpass'),
      connectTimeoutMs: 30_000,
      tls: { mode: 'prefer', rootCertificate: join(HOME, '.postgresql', 'root.crt'), negotiation: 'postgres' },
    });
    expect(['localhost', '/tmp', '/var/run/postgresql']).toContain(parameters.host);
  });

  it('of a service go before those of the environment', async () => {
    const parameters = await find({ PGSERVICE: 'main', PGHOST: 'db2', PGUSER: 'backup' });
    expect(parameters).toMatchObject({ host: 'db1', port: 5433, user: 'backup', tls: { mode: 'require' } });
  });

  it('of a service that nobody defines are missed', async () => {
    await expect(find({ PGSERVICE: 'absent' })).rejects.toThrow(/names the service "absent", which neither .* defines/);
    await expect(find({ PGSERVICE: 'broken' })).rejects.toThrow(/service "broken" has a line without a value: host/);
  });

  it('verify in full where the system vouches for the certificate', async () => {
    expect((await find({ PGHOST: 'db1', PGSSLROOTCERT: 'system' })).tls.mode).toBe('verify-full');
  });

  it.each([
    { PGPORT: 'abc' },
    { PGPORT: '0' },
    { PGPORT: '65536' },
    { PGCONNECT_TIMEOUT: '-1' },
    { PGSSLMODE: 'maybe' },
    { PGHOST: 'db1,db2' },
    { PGSSLCRL: '/etc/crl' },
    { PGREQUIREAUTH: 'scram-sha-256' },
    { PGREQUIREPEER: 'postgres' },
    { PGCHANNELBINDING: 'require' },
    { PGTARGETSESSIONATTRS: 'read-write' },
  ])('are refused for %o', async (environment: Record<string, string>) => {
    await expect(find(environment)).rejects.toThrow(ConfigError);
    await expect(find(environment)).rejects.toThrow(Object.keys(environment)[0]);
  });

  it('may ask for what is granted anyhow', async () => {
    const harmless = { PGCHANNELBINDING: 'prefer', PGTARGETSESSIONATTRS: 'any', PGGSSENCMODE: 'disable' };
    await expect(find(harmless)).resolves.toMatchObject({ port: 5432 });
  });
});

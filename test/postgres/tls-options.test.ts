import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, LocalFileError } from '../../src/errors.ts';
import type { TlsParameters } from '../../src/postgres/connection-parameters.ts';
import { tlsAttempts } from '../../src/postgres/tls-options.ts';

const authority = new URL('../fixtures/tls/ca.crt', import.meta.url).pathname;

const attempts = (tls: Partial<TlsParameters>, host = 'db1') =>
  tlsAttempts({
    host,
    tls: {
      mode: 'prefer',
      rootCertificate: undefined,
      certificate: undefined,
      key: undefined,
      minimumVersion: undefined,
      negotiation: 'postgres',
      ...tls,
    },
  });

describe('TLS', () => {
  it('is never used on a socket of this machine', async () => {
    expect(await attempts({ mode: 'verify-full' }, '/tmp')).toEqual([false]);
  });

  it('is tried in the order that the mode asks for', async () => {
    const unverified = { servername: 'db1', rejectUnauthorized: false };
    expect(await attempts({ mode: 'disable' })).toEqual([false]);
    expect(await attempts({ mode: 'allow' })).toEqual([false, unverified]);
    expect(await attempts({ mode: 'prefer' })).toEqual([unverified, false]);
    expect(await attempts({ mode: 'require' })).toEqual([unverified]);
  });

  it('verifies the certificate where the mode, or a root certificate, asks for it', async () => {
    const ca = readFileSync(authority);
    expect(await attempts({ mode: 'verify-full', rootCertificate: authority })).toEqual([{ servername: 'db1', ca }]);
    expect(await attempts({ mode: 'verify-full', rootCertificate: 'system' })).toEqual([{ servername: 'db1' }]);
    for (const mode of ['verify-ca', 'require'] as const) {
      const [options] = await attempts({ mode, rootCertificate: authority });
      expect(options).toMatchObject({ ca, checkServerIdentity: expect.any(Function) });
    }
    expect(await attempts({ mode: 'prefer', rootCertificate: authority })).toContainEqual({
      servername: 'db1',
      rejectUnauthorized: false,
    });
  });

  it('is not verified with nothing', async () => {
    await expect(attempts({ mode: 'verify-ca' })).rejects.toThrow(ConfigError);
    await expect(attempts({ mode: 'verify-ca', rootCertificate: '/nowhere/ca.crt' })).rejects.toThrow(LocalFileError);
  });

  it('names no server that is an IP address, and keeps a lowest version', async () => {
    expect(await attempts({ mode: 'require', minimumVersion: 'TLSv1.3' }, '10.0.0.1')).toEqual([
      { minVersion: 'TLSv1.3', rejectUnauthorized: false },
    ]);
  });
});

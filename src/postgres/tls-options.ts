import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { ConfigError } from '../errors.ts';
import { fileError } from '../util/file-error.ts';
import type { ConnectionParameters, TlsParameters } from './connection-parameters.ts';

/**
 * The ways to connect that sslmode allows, in the order in which libpq tries them: options of TLS, or false for none. A socket
 * of this machine never has TLS.
 *
 * @throws {@link ConfigError} when a certificate is to be verified and there is none to verify it with
 * @see PostgreSQL manual, "libpq - SSL Support", table "SSL Mode Descriptions"
 */
export async function tlsAttempts({
  tls,
  host,
}: Pick<ConnectionParameters, 'tls' | 'host'>): Promise<(ConnectionOptions | false)[]> {
  if (host.startsWith('/') || tls.mode === 'disable') return [false];
  const options = await tlsOptions(tls, host);
  if (tls.mode === 'allow') return [false, options];
  if (tls.mode === 'prefer') return [options, false];
  return [options];
}

async function tlsOptions(tls: TlsParameters, host: string): Promise<ConnectionOptions> {
  const identity: ConnectionOptions = {
    // An IP address is no server name (RFC 6066, section 3); the driver gives it to the check of the certificate by itself.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.certificate === undefined ? {} : { cert: await readPem(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: await readPem(tls.key) }),
    ...(tls.minimumVersion === undefined ? {} : { minVersion: tls.minimumVersion as SecureVersion }),
  };
  const verifies = tls.mode === 'verify-ca' || tls.mode === 'verify-full';
  if (tls.rootCertificate === undefined) {
    if (!verifies) return { ...identity, rejectUnauthorized: false };
    throw new ConfigError(`PGSSLMODE is ${tls.mode}, but there is no certificate to verify the server's with`, {
      hint: "Set PGSSLROOTCERT to a file of trusted certificates, or to 'system'.",
    });
  }
  // As in libpq, `require` verifies like verify-ca as soon as there is a root certificate; prefer and allow never do.
  if (!verifies && tls.mode !== 'require') return { ...identity, rejectUnauthorized: false };
  return {
    ...identity,
    ...(tls.rootCertificate === 'system' ? {} : { ca: await readPem(tls.rootCertificate) }),
    ...(tls.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

async function readPem(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileError(`cannot read ${path}`, path, error);
  }
}

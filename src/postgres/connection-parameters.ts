import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readService } from './service-file.ts';

/** The environment, handed in by the command line. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where and as whom to connect, in libpq's words. */
export interface ConnectionParameters {
  /** Name of the server, or the directory of its socket when it begins with a slash. */
  readonly host: string;
  /** IP address to go to; `host` is then only the name in the certificate and the password file. */
  readonly hostAddress: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  readonly passwordFile: string;
  readonly applicationName: string | undefined;
  /** Command-line options for the server process. */
  readonly options: string | undefined;
  /** 0 stands for no limit of ours. */
  readonly connectTimeoutMs: number;
  readonly tls: TlsParameters;
}

export interface TlsParameters {
  readonly mode: SslMode;
  /** File paths; undefined where the default below the home directory does not exist either. `system` stands for the CAs of Node. */
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly minimumVersion: string | undefined;
  readonly negotiation: 'postgres' | 'direct';
}

export type SslMode = (typeof sslModes)[number];

const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** libpq waits for ever; a server that does not answer for so long is not there. */
const defaultConnectTimeoutMs = 30_000;

/** libpq's environment variables by keyword. @see PostgreSQL manual, "libpq - Environment Variables" */
const variables = {
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  user: 'PGUSER',
  dbname: 'PGDATABASE',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  application_name: 'PGAPPNAME',
  options: 'PGOPTIONS',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  requirepeer: 'PGREQUIREPEER',
  require_auth: 'PGREQUIREAUTH',
  gssencmode: 'PGGSSENCMODE',
  channel_binding: 'PGCHANNELBINDING',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
} as const;

type Keyword = keyof typeof variables;

/** Demands that the driver cannot meet, with the values that demand nothing; to pass over them would weaken what somebody asked for. */
const harmlessValues: Partial<Record<Keyword, readonly string[]>> = {
  sslcrl: [],
  sslcrldir: [],
  requirepeer: [],
  require_auth: [],
  gssencmode: ['disable', 'prefer'],
  channel_binding: ['disable', 'prefer'],
  target_session_attrs: ['any'],
};

/**
 * Finds out how to connect as libpq does: the service that PGSERVICE names, then the PG… variables, then the defaults, except
 * that the default database is `postgres`.
 *
 * @throws {@link ConfigError} when a variable is malformed or asks for what is not supported
 * @throws {@link LocalFileError} or {@link PermissionError} when the service file cannot be read
 */
export async function findConnectionParameters(environment: Environment): Promise<ConnectionParameters> {
  const service = await readService(environment);
  const get = (keyword: Keyword): string | undefined =>
    service[keyword] || environment[variables[keyword]] || undefined;
  refuseUnsupported(get);

  const port = parsePort(get('port') ?? '5432');
  const host = get('host') ?? get('hostaddr') ?? findDefaultHost(port);
  if (host.includes(',')) {
    throw new ConfigError(`PGHOST names more than one server: ${host}`, {
      hint: 'Name the one server that is to be backed up.',
    });
  }
  const inHome = (...names: string[]): string => join(environment['HOME'] ?? homedir(), ...names);
  const fileInHome = (name: string): string | undefined => {
    const path = inHome('.postgresql', name);
    return existsSync(path) ? path : undefined;
  };
  return {
    host,
    hostAddress: get('hostaddr'),
    port,
    user: get('user') ?? userInfo().username,
    database: get('dbname') ?? 'postgres',
    password: get('password'),
    passwordFile: get('passfile') ?? inHome('.pgpass'),
    applicationName: get('application_name'),
    options: get('options'),
    connectTimeoutMs: parseTimeout(get('connect_timeout')),
    tls: {
      mode: parseSslMode(get('sslmode') ?? (get('sslrootcert') === 'system' ? 'verify-full' : 'prefer')),
      rootCertificate: get('sslrootcert') ?? fileInHome('root.crt'),
      certificate: get('sslcert') ?? fileInHome('postgresql.crt'),
      key: get('sslkey') ?? fileInHome('postgresql.key'),
      minimumVersion: get('ssl_min_protocol_version'),
      negotiation: get('sslnegotiation') === 'direct' ? 'direct' : 'postgres',
    },
  };
}

function refuseUnsupported(get: (keyword: Keyword) => string | undefined): void {
  for (const [keyword, harmless] of Object.entries(harmlessValues)) {
    const value = get(keyword as Keyword);
    if (value !== undefined && !harmless.includes(value)) {
      throw new ConfigError(
        `${variables[keyword as Keyword]} (or ${keyword} of the service) is not supported: ${value}`,
        {
          hint: 'Take it out of the environment of Seawall, or out of the service.',
        },
      );
    }
  }
}

/** Where libpq of the usual packages looks for the server's socket; without one, this machine by TCP. */
function findDefaultHost(port: number): string {
  const directories = ['/var/run/postgresql', '/tmp'];
  return directories.find((directory) => existsSync(join(directory, `.s.PGSQL.${port}`))) ?? 'localhost';
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new ConfigError(`PGPORT is not a port number: ${JSON.stringify(text)}`);
}

function parseTimeout(text: string | undefined): number {
  if (text === undefined) return defaultConnectTimeoutMs;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  throw new ConfigError(`PGCONNECT_TIMEOUT is not a number of seconds: ${JSON.stringify(text)}`);
}

function parseSslMode(text: string): SslMode {
  const mode = sslModes.find((known) => known === text);
  if (mode !== undefined) return mode;
  throw new ConfigError(`PGSSLMODE is not known: ${JSON.stringify(text)}`, {
    hint: `Give one of ${sslModes.join(', ')}.`,
  });
}

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';

/** Keywords and values of one service, e.g. `{ host: 'db1', port: '5433' }`. */
export type Service = Readonly<Record<string, string>>;

/**
 * Reads the service that PGSERVICE names, from PGSERVICEFILE or ~/.pg_service.conf, else from PGSYSCONFDIR/pg_service.conf; an
 * empty one when PGSERVICE is not set.
 *
 * @throws {@link ConfigError} when none of them defines it
 * @see PostgreSQL manual, "The Connection Service File"
 */
export async function readService(environment: Readonly<Record<string, string | undefined>>): Promise<Service> {
  const name = environment['PGSERVICE'];
  if (name === undefined || name === '') return {};
  const ofUser = environment['PGSERVICEFILE'] ?? join(environment['HOME'] ?? homedir(), '.pg_service.conf');
  const ofSystem = join(environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf');
  for (const path of [ofUser, ofSystem]) {
    const service = parseService(await readIfThere(path), name);
    if (service !== undefined) return service;
  }
  throw new ConfigError(
    `PGSERVICE names the service ${JSON.stringify(name)}, which neither ${ofUser} nor ${ofSystem} defines`,
  );
}

/** The section of that name in a service file, or undefined. */
export function parseService(text: string, name: string): Service | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const begin = lines.indexOf(`[${name}]`);
  if (begin === -1) return undefined;
  const length = lines.slice(begin + 1).findIndex((line) => line.startsWith('['));
  const section = lines.slice(begin + 1, length === -1 ? undefined : begin + 1 + length);
  const entries = section
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const equals = line.indexOf('=');
      if (equals < 1) throw new ConfigError(`service ${JSON.stringify(name)} has a line without a value: ${line}`);
      return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()] as const;
    });
  return Object.fromEntries(entries);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return '';
    throw fileError(`cannot read the service file ${path}`, path, error);
  }
}

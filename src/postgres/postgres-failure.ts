import { DatabaseError } from 'pg';
import { describeError, PostgresError, systemErrorCode } from '../errors.ts';

/** What helps against an error of the server. @see PostgreSQL manual, appendix "PostgreSQL Error Codes" */
const hintsByState: Readonly<Record<string, string>> = {
  '28000': 'Let pg_hba.conf admit this user from this machine, or set PGUSER.',
  '28P01': 'Set PGPASSWORD, or put the password into the password file (PGPASSFILE, ~/.pgpass).',
  '3D000': 'Set PGDATABASE to a database that exists.',
  '42501': 'Connect as a superuser, or grant this role what the server asks for.',
  '53300': 'Leave a connection free for Seawall: raise max_connections, or reserve some.',
  '57P03': 'Wait until the server accepts connections.',
};

/** What helps when the server cannot be reached at all. */
const hintsBySystemCode: Readonly<Record<string, string>> = {
  ENOENT: 'Set PGHOST and PGPORT to those of the server, and see that it runs.',
  ECONNREFUSED: 'Set PGHOST and PGPORT to those of the server, and see that it runs.',
  ENOTFOUND: 'Correct the name of the server in PGHOST.',
  EACCES: 'Run Seawall as a user who may use the socket of the server.',
};

/**
 * The error for a failed call of the server, with the server's own words.
 *
 * @param what - what failed, e.g. `cannot start the backup`
 */
export function postgresFailure(what: string, cause: unknown): PostgresError {
  if (cause instanceof PostgresError) return cause;
  const isAnswer = cause instanceof DatabaseError;
  const detail = isAnswer && cause.detail !== undefined ? ` (${cause.detail})` : '';
  const hint = isAnswer
    ? (cause.hint ?? hintsByState[cause.code ?? ''])
    : hintsBySystemCode[systemErrorCode(cause) ?? ''];
  return new PostgresError(`${what}: ${wordsOf(cause)}${detail}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** A name with several addresses fails once for each of them. */
function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describeError).join(', ');
  return describeError(cause);
}

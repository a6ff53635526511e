import { open } from 'node:fs/promises';
import type { Logger } from '../context.ts';
import { systemErrorCode } from '../errors.ts';
import { fileError } from '../util/file-error.ts';

/** Whom a password belongs to. */
export interface PasswordOwner {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * Looks a password up in a .pgpass file; undefined when there is none. Like libpq it does not use a file that others may read,
 * and says so.
 *
 * @see PostgreSQL manual, "The Password File"
 */
export async function readPassword(path: string, owner: PasswordOwner, log: Logger): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    if ((stats.mode & 0o077) !== 0) {
      log.warn({ path }, 'password file not used, because others may read it: chmod 0600 it');
      return undefined;
    }
    return findPassword(await file.readFile('utf8'), owner);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(`cannot read the password file ${path}`, path, error);
  }
}

/**
 * The password of the first line `host:port:database:user:password` that fits. A field `*` fits everything, `localhost` also
 * the usual socket directories; `\:` and `\\` stand for themselves.
 */
export function findPassword(text: string, owner: PasswordOwner): string | undefined {
  const host = socketDirectories.has(owner.host) ? 'localhost' : owner.host;
  const wanted = [host, String(owner.port), owner.database, owner.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = line
      .match(/(?:[^:\\]|\\.|\\$)*(?::|$)/g)
      ?.map((field) => field.replace(/:$/, '').replace(/\\(.)/g, '$1'));
    if (fields === undefined || fields.length < 5) continue;
    if (wanted.every((value, index) => fields[index] === '*' || fields[index] === value)) return fields[4];
  }
  return undefined;
}

const socketDirectories = new Set(['/var/run/postgresql', '/run/postgresql', '/tmp']);

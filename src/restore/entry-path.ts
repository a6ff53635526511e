import { IntegrityError } from '../errors.ts';
import { byteStringAsText } from '../util/byte-string.ts';

/** PATH_MAX of Linux, in bytes. */
const longestPathBytes = 4096;

/**
 * The path below the data directory that a tar member's name stands for: `base/1/259`, empty for the directory itself. WAL-G's
 * local backups write `/base/1/259`, its remote ones `base/1/259`, and PostgreSQL's own tars `./pg_wal/` besides. Both the name
 * and the path are byte strings.
 *
 * @throws {@link IntegrityError} for a name that leads anywhere else: `..`, a second leading slash, an empty or `.` part; in a
 *   tablespace, which may be any directory, for everything but PostgreSQL's own `PG_18_202506291`
 */
export function parseEntryName(name: string, objectName: string): string {
  const path = name.replace(/^(?:\.\/|\/)/, '').replace(/\/$/, '');
  if (path === '' || path === '.') {
    if (/^\.?\/?$/.test(name)) return '';
    throw outside(name, objectName);
  }
  if (!/^PG_\d|^$/.test(parseTablespacePath(path)?.rest ?? '')) throw outside(name, objectName);
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isPlain || path.includes('\0') || path.length > longestPathBytes) throw outside(name, objectName);
  return path;
}

/** Takes a path apart that lies in a tablespace, `pg_tblspc/16384/PG_18_202506291/5/16393`; undefined for any other. */
export function parseTablespacePath(path: string): { readonly oid: string; readonly rest: string } | undefined {
  const match = /^pg_tblspc\/(\d+)(?:\/(.+))?$/s.exec(path);
  return match?.[1] === undefined ? undefined : { oid: match[1], rest: match[2] ?? '' };
}

function outside(name: string, objectName: string): IntegrityError {
  return new IntegrityError(
    `${objectName} holds a name that does not lie in a data directory: ${JSON.stringify(byteStringAsText(name))}`,
    {
      hint: 'Nothing outside the destination has been written; do not trust this backup.',
    },
  );
}

import { IntegrityError } from '../errors.ts';
import { bytesOf } from '../util/byte-string.ts';

/** Where a tablespace lies; recovery makes the link `pg_tblspc/<oid>` to it. */
export interface MappedTablespace {
  readonly oid: string;
  /** A byte string, an absolute path on the machine of the server. */
  readonly location: string;
}

const linePattern = /((?:\\.|[^\\\n\r])*)[\n\r]/gs;

/**
 * Parses `tablespace_map`: a line `<oid> <path>` per tablespace, in which a backslash takes away the meaning of a newline, a
 * carriage return or a backslash behind it.
 *
 * @throws {@link IntegrityError} when a line has another shape, or the last one is cut off
 * @see postgres src/backend/access/transam/xlogrecovery.c, read_tablespace_map
 */
export function parseTablespaceMap(content: Uint8Array): MappedTablespace[] {
  const text = Buffer.from(content).toString('latin1');
  const lines = Array.from(text.matchAll(linePattern), ([, line = '']) => line);
  if (text.replaceAll(linePattern, '') !== '') throw damaged('its last line is cut off');
  return lines.filter((line) => line !== '').map(parseLine);
}

function parseLine(line: string): MappedTablespace {
  const [, oid, location] = /^([1-9]\d{0,9}) (.+)$/s.exec(line) ?? [];
  if (oid === undefined || location === undefined) throw damaged(`it has the line ${JSON.stringify(line)}`);
  return { oid, location: location.replace(/\\(.)/gs, '$1') };
}

function damaged(what: string): IntegrityError {
  return new IntegrityError(`tablespace map is damaged: ${what}`);
}

/** The content of `tablespace_map` for these tablespaces: the inverse of {@link parseTablespaceMap}. */
export function formatTablespaceMap(tablespaces: readonly MappedTablespace[]): Buffer {
  const lines = tablespaces.map(({ oid, location }) => `${oid} ${location.replace(/[\n\r\\]/g, '\\$&')}\n`);
  return bytesOf(lines.join(''));
}

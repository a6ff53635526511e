import { join } from 'node:path';
import { parseTablespacePath } from './entry-path.ts';

/** Where the paths of a backup lie on this machine. */
export interface Placement {
  /** The data directory, an absolute path. */
  readonly directory: string;
  /** The directory of each tablespace outside of the data directory, by its oid. */
  readonly tablespaces: ReadonlyMap<string, string>;
}

/**
 * The place of a path below the data directory. What lies in a tablespace goes straight to the tablespace's directory: no file is
 * ever written through a link. A tablespace that the placement does not name lies in the data directory itself
 * (`allow_in_place_tablespaces`).
 */
export function placeOf(path: string, placement: Placement): string {
  const inTablespace = parseTablespacePath(path);
  const location = inTablespace && placement.tablespaces.get(inTablespace.oid);
  if (inTablespace === undefined || location === undefined) return join(placement.directory, path);
  return join(location, inTablespace.rest);
}

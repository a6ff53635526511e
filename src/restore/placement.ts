import { toByteString } from '../util/byte-string.ts';
import { parseTablespacePath } from './entry-path.ts';

/** Where the paths of a backup lie on this machine; all absolute and, like the paths, byte strings. */
export interface Placement {
  readonly directory: string;
  /** The directory of each tablespace outside of the data directory, by its oid. */
  readonly tablespaces: ReadonlyMap<string, string>;
}

/** @param tablespaces - oid and directory of each */
export function createPlacement(directory: string, tablespaces: Iterable<readonly [string, string]>): Placement {
  return {
    directory: toByteString(directory),
    tablespaces: new Map(Array.from(tablespaces, ([oid, location]) => [oid, toByteString(location)])),
  };
}

/**
 * The place of a path below the data directory. What lies in a tablespace goes straight to the tablespace's directory: no file is
 * ever written through a link. A tablespace that the placement does not name lies in the data directory itself
 * (`allow_in_place_tablespaces`).
 *
 * @param path - as {@link parseEntryName} gives it
 */
export function placeOf(path: string, { directory, tablespaces }: Placement): string {
  const inTablespace = parseTablespacePath(path);
  const location = inTablespace && tablespaces.get(inTablespace.oid);
  if (inTablespace === undefined || location === undefined) return join(directory, path);
  return join(location, inTablespace.rest);
}

/** Everything that a restore fills. */
export function rootsOf({ directory, tablespaces }: Placement): string[] {
  return [directory, ...tablespaces.values()];
}

function join(directory: string, path: string): string {
  return path === '' ? directory : `${directory}/${path}`;
}

/** The directory above, as a byte string. */
export function parentOf(place: string): string {
  return place.slice(0, place.lastIndexOf('/')) || '/';
}

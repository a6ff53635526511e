import { IntegrityError } from '../errors.ts';

/** Entries that every data directory has, whatever its version. */
const marks = ['PG_VERSION', 'base', 'global', 'pg_wal'];

/** Whether a directory with these names in it is a data directory. */
export function isDataDirectory(names: Iterable<string>): boolean {
  const present = new Set(names);
  return marks.every((mark) => present.has(mark));
}

/**
 * The major version from the content of `PG_VERSION`, e.g. 18; of two-part versions, `9.6`, the first part.
 *
 * @throws {@link IntegrityError} when it is no version
 */
export function parsePgVersion(text: string): number {
  const major = /^(\d{1,3})(?:\.\d+)?\n?$/.exec(text)?.[1];
  if (major === undefined)
    throw new IntegrityError(`PG_VERSION is damaged: it holds ${JSON.stringify(text.slice(0, 20))}`);
  return Number(major);
}

/**
 * The directory, in each tablespace, in which servers of this version keep their data: `PG_18_202506291`.
 *
 * @param catalogVersion - `catalog_version_no` of pg_control
 * @see postgres src/include/common/relpath.h, TABLESPACE_VERSION_DIRECTORY
 */
export function tablespaceVersionDirectory(majorVersion: number, catalogVersion: number): string {
  return `PG_${majorVersion}_${catalogVersion}`;
}

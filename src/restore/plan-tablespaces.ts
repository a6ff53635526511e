import { isAbsolute, normalize, relative } from 'node:path';
import { IntegrityError, UsageError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';

/** A tablespace and where it goes. */
export interface PlannedTablespace {
  readonly oid: string;
  /** At the time of the backup. */
  readonly originalLocation: string;
  readonly location: string;
}

/** Where a tablespace is to go instead of its original place; both absolute paths. */
export interface TablespaceMapping {
  readonly from: string;
  readonly to: string;
}

/**
 * Parses `old=new`; an equals sign in a path is written `\=`, as pg_basebackup takes it.
 *
 * @throws {@link UsageError} when it has another shape or a path is not absolute
 * @see PostgreSQL manual, pg_basebackup, --tablespace-mapping
 */
export function parseTablespaceMapping(text: string): TablespaceMapping {
  const sides = text.split(/(?<!\\)=/).map((side) => side.replaceAll('\\=', '='));
  const [from = '', to = ''] = sides;
  if (sides.length === 2 && isAbsolute(from) && isAbsolute(to)) return { from: tidy(from), to: tidy(to) };
  throw new UsageError(`not a tablespace mapping: ${JSON.stringify(text)}`, {
    hint: "Write it as '/old/location=/new/location' with absolute paths; an equals sign in a path is written '\\='.",
  });
}

/**
 * Says for each tablespace of the backup where it goes: to its own place, or where a mapping sends it.
 *
 * @param directory - of the restored cluster, absolute
 * @throws {@link UsageError} for a mapping of what is no tablespace of the backup, and for places that lie in one another
 * @throws {@link IntegrityError} when the backup names a place that is no absolute path
 */
export function planTablespaces(
  backup: BackupRecord,
  directory: string,
  mappings: readonly TablespaceMapping[],
): PlannedTablespace[] {
  const byOrigin = new Map(mappings.map(({ from, to }) => [from, to]));
  if (byOrigin.size < mappings.length) throw new UsageError('the same tablespace is mapped twice');
  const originals = new Set(backup.tablespaces.map(({ location }) => tidy(location)));
  for (const { from } of mappings) {
    if (originals.has(from)) continue;
    throw new UsageError(`no tablespace of ${backup.name} lies in ${from}`, {
      hint: `Its tablespaces: ${[...originals].join(', ') || 'none'}.`,
    });
  }
  const planned = backup.tablespaces.map(({ oid, location }) => {
    if (!isAbsolute(location) || /[\0\r\n]/.test(location)) {
      throw new IntegrityError(`${backup.name} says that its tablespace ${oid} lies in ${JSON.stringify(location)}`);
    }
    const originalLocation = tidy(location);
    return { oid, originalLocation, location: byOrigin.get(originalLocation) ?? originalLocation };
  });
  checkApart(planned, directory, backup);
  return planned;
}

function checkApart(planned: readonly PlannedTablespace[], directory: string, backup: BackupRecord): void {
  for (const [index, { location, originalLocation }] of planned.entries()) {
    const other = planned.find((candidate, position) => position !== index && isWithin(location, candidate.location));
    if (other !== undefined) {
      throw new UsageError(`tablespace ${location} lies in tablespace ${other.location}`, { hint: mappingHint });
    }
    if (isWithin(directory, location)) {
      throw new UsageError(`the destination ${directory} lies in tablespace ${location}`, { hint: mappingHint });
    }
    // A cluster may have been built that way; then it is restored that way, and no other.
    const wasWithin = backup.basePrefix !== undefined && isWithin(originalLocation, backup.basePrefix);
    const isSamePlace =
      wasWithin && relative(directory, location) === relative(backup.basePrefix ?? '', originalLocation);
    if (isWithin(location, directory) && !isSamePlace) {
      throw new UsageError(`tablespace ${location} lies in the destination ${directory}`, { hint: mappingHint });
    }
  }
}

const mappingHint = 'Send it elsewhere with --tablespace-mapping old=new.';

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

/** Without `.`, `..`, doubled or closing slashes. */
function tidy(path: string): string {
  return normalize(path).replace(/(?<=.)\/+$/, '');
}

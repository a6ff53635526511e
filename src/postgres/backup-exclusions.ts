import { parseRelationFileName } from './relation-file.ts';

/**
 * What a base backup does with an entry of the data directory: `copy` it; keep the directory but nothing in it (`empty`); leave it
 * out (`skip`).
 */
export type BackupRule = 'copy' | 'empty' | 'skip';

/** Directories whose content means nothing to another server, wherever they are. */
const emptiedDirectories: ReadonlySet<string> = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);

/**
 * The same, only directly in the data directory: WAL comes from the archive, and the log of the running server is no part of the
 * data (WAL-G leaves it out, too).
 */
const emptiedTopDirectories: ReadonlySet<string> = new Set(['pg_wal', 'log', 'pg_log']);

/** Files that belong to the running server, or that a backup brings of its own. */
const skippedFiles: ReadonlySet<string> = new Set([
  'backup_label',
  'backup_manifest',
  'current_logfiles.tmp',
  'postgresql.auto.conf.tmp',
  'postmaster.opts',
  'postmaster.pid',
  'tablespace_map',
  '.DS_Store',
]);

/** Files directly in the data directory by which a standby says that it is one: what a restored cluster becomes is decided anew. */
const skippedTopFiles: ReadonlySet<string> = new Set(['recovery.signal', 'standby.signal']);

const temporaryPrefix = 'pgsql_tmp';
const relationCachePrefix = 'pg_internal.init';
const temporaryRelation = /^t\d+_\d+(?:_(?:fsm|vm|init))?(?:\.\d+)?$/;

const databaseDirectory = /^(?:base|pg_tblspc\/\d+\/PG_[^/]+)\/\d+$/;
const tablespaceDirectory = /^pg_tblspc\/\d+$/;

/**
 * The rules for the entries of one directory, as the server's own base backup has them.
 *
 * @param directory - relative to the data directory, '' for the data directory itself, tablespaces as `pg_tblspc/<oid>`
 * @param names - all names in it: an unlogged relation is known by its init fork, and that alone is copied
 * @param versionDirectory - see `tablespaceVersionDirectory`: what other servers keep in the same tablespace is not ours
 * @see postgres src/backend/backup/basebackup.c, sendDir, excludeDirContents, excludeFiles
 */
export function backupRules(
  directory: string,
  names: Iterable<string>,
  versionDirectory: string,
): (name: string, isDirectory: boolean) => BackupRule {
  const isTop = directory === '';
  const isDatabase = databaseDirectory.test(directory);
  const isTablespace = tablespaceDirectory.test(directory);
  const unlogged = isDatabase || directory === 'global' ? unloggedRelations(names) : new Set<number>();

  return (name, isDirectory) => {
    if (name.startsWith(temporaryPrefix)) return 'skip';
    if (isTablespace && name !== versionDirectory) return 'skip';
    if (isDirectory) {
      return emptiedDirectories.has(name) || (isTop && emptiedTopDirectories.has(name)) ? 'empty' : 'copy';
    }
    if (skippedFiles.has(name) || (isTop && skippedTopFiles.has(name))) return 'skip';
    if (name.startsWith(relationCachePrefix)) return 'skip';
    if (isDatabase && temporaryRelation.test(name)) return 'skip';
    const relation = parseRelationFileName(name);
    return relation !== undefined && relation.fork !== 'init' && unlogged.has(relation.relationNumber)
      ? 'skip'
      : 'copy';
  };
}

/** Directories that a server expects in `pg_wal`, which comes without its content. */
export function walSubdirectories(majorVersion: number): readonly string[] {
  return majorVersion >= 17 ? ['pg_wal/archive_status', 'pg_wal/summaries'] : ['pg_wal/archive_status'];
}

function unloggedRelations(names: Iterable<string>): Set<number> {
  const relations = new Set<number>();
  for (const name of names) {
    const relation = parseRelationFileName(name);
    if (relation?.fork === 'init') relations.add(relation.relationNumber);
  }
  return relations;
}

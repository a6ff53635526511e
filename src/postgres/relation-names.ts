import type { PostgresConnection } from './connection.ts';

/** A database that lets clients in. */
export interface NamedDatabase {
  readonly name: string;
  readonly oid: number;
}

/** A relation with files of its own (a table, an index, a sequence, a TOAST table …), or a partitioned table. */
export interface NamedRelation {
  /** Schema and name as they are, without quotes: `public.orders`. */
  readonly name: string;
  readonly oid: number;
  /** What its files are called, without fork and segment; 0 for a partitioned table, which has none. */
  readonly fileNode: number;
  /** Whether it inherits, directly or not, from the last relation before it that does not: a partition, for example. */
  readonly inherits: boolean;
}

/** Rows fetched at a time: the driver keeps each as an array of texts, and a database may have a million relations. */
const rowsAtOnce = 5_000;

/** Two names that only seem to be one: a dot within a schema's name, or bytes that are not UTF-8. */
const ambiguousName = /\..*\.|\ufffd/su;

/**
 * The databases to which a client can connect: template0 is none of them, nor one whose DROP was interrupted.
 *
 * @see postgres src/include/catalog/pg_database.h, DATCONNLIMIT_INVALID_DB
 */
export async function listDatabases(connection: PostgresConnection): Promise<NamedDatabase[]> {
  return await connection.query<{ name: string; oid: number }>(
    'cannot list the databases',
    'SELECT datname AS name, oid FROM pg_database WHERE datallowconn AND datconnlimit <> -2 ORDER BY oid',
  );
}

/**
 * The relations of the connection's database with their files, those that inherit directly behind the one at the root. Where that has
 * no place in the list (a partitioned index, a foreign table), they stand for themselves. No name comes twice within one such group.
 */
export async function readRelations(connection: PostgresConnection): Promise<NamedRelation[]> {
  const what = 'cannot list the relations';
  const relations: NamedRelation[] = [];
  let group = new Set<string>();
  const all = new Set<string>();
  await connection.query(what, 'BEGIN READ ONLY');
  await connection.query(what, `DECLARE relations NO SCROLL CURSOR FOR ${relationsSql}`);
  for (;;) {
    const rows = await connection.query<NamedRelation>(what, `FETCH ${rowsAtOnce} FROM relations`);
    if (rows.length === 0) break;
    for (const { name, oid, fileNode, inherits } of rows) {
      if (!inherits) group = new Set();
      if (ambiguousName.test(name)) {
        const taken = inherits ? group : all;
        if (taken.has(name)) continue;
        taken.add(name);
      }
      relations.push({ name, oid, fileNode, inherits });
    }
  }
  await connection.query(what, 'COMMIT');
  return relations;
}

/** A relation may inherit from several; then it stands below each root. pg_relation_filenode is null without files. */
const relationsSql = `
  WITH RECURSIVE listed AS MATERIALIZED (
    SELECT c.oid, n.nspname || '.' || c.relname AS name, pg_relation_filenode(c.oid) AS file_node
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'p' OR pg_relation_filenode(c.oid) IS NOT NULL
  ), heirs AS (
    SELECT i.inhrelid AS oid, i.inhparent AS root
    FROM pg_inherits i
    WHERE NOT EXISTS (SELECT FROM pg_inherits above WHERE above.inhrelid = i.inhparent)
    UNION
    SELECT i.inhrelid, heirs.root FROM heirs JOIN pg_inherits i ON i.inhparent = heirs.oid
  )
  SELECT listed.name, listed.oid, coalesce(listed.file_node, 0::oid) AS "fileNode", root.oid IS NOT NULL AS inherits
  FROM listed
    LEFT JOIN (heirs JOIN listed root ON root.oid = heirs.root) ON heirs.oid = listed.oid
  ORDER BY coalesce(root.oid, listed.oid), inherits, listed.oid`;

import type { Context } from '../context.ts';
import { PostgresError } from '../errors.ts';
import { connectPostgres, type PostgresConnection } from '../postgres/connection.ts';
import type { Environment } from '../postgres/connection-parameters.ts';
import { listDatabases, readRelations } from '../postgres/relation-names.ts';
import type { DatabaseRelations } from '../repository/write-files-metadata.ts';

/**
 * Asks each database, over a connection of its own, which relation lies in which file; with that WAL-G restores single databases and
 * tables. One that lets nobody in (template0) is left out as WAL-G does, and one that refuses us with a warning: the backup is
 * complete without its names.
 *
 * @throws {@link PostgresError} when the databases cannot be listed
 */
export async function nameRelations(
  connection: PostgresConnection,
  environment: Environment,
  context: Context,
): Promise<DatabaseRelations[]> {
  const named: DatabaseRelations[] = [];
  for (const database of await listDatabases(connection)) {
    try {
      const applicationName = 'seawall basebackup';
      await using own = await connectPostgres({ environment, applicationName, database: database.name }, context);
      named.push({ ...database, relations: await readRelations(own) });
    } catch (error) {
      if (!(error instanceof PostgresError) || context.signal.aborted) throw error;
      context.log.warn(
        { err: error, database: database.name },
        'cannot list the relations of this database: WAL-G cannot restore it alone from this backup',
      );
    }
  }
  return named;
}

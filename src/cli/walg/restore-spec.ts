import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, describeError, UsageError } from '../../errors.ts';
import type { BackupRecord } from '../../repository/backup-catalogue.ts';
import { parseJsonObject } from '../../repository/json-object.ts';
import type { TablespaceMapping } from '../../restore/plan-tablespaces.ts';

/** As in a sentinel: `{"base_prefix": …, "tablespaces": ["16384"], "16384": {"loc": "/srv/ts", "link": "pg_tblspc/16384"}}`. */
const specShape = z.looseObject({ tablespaces: z.array(z.string()) });
const tablespaceShape = z.object({ loc: z.string().startsWith('/') });

/**
 * Reads where the tablespaces of a backup go. The links lie in the destination, whatever base_prefix says.
 *
 * @throws {@link ConfigError} when the file cannot be read, {@link UsageError} when it does not fit the backup
 */
export async function readRestoreSpec(path: string, backup: BackupRecord): Promise<TablespaceMapping[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new ConfigError(`cannot read the restore specification ${path}: ${describeError(error)}`, { cause: error });
  }
  const spec = parseJsonObject(bytes, specShape, path);
  return spec.tablespaces.map((oid) => {
    const wanted = tablespaceShape.safeParse(spec[oid]);
    const original = backup.tablespaces.find((tablespace) => tablespace.oid === oid);
    if (!wanted.success || original === undefined) {
      throw new UsageError(
        `cannot restore with ${path}: ${original === undefined ? `${backup.name} has no tablespace ${oid}` : `tablespace ${oid} has no absolute loc`}`,
        { hint: 'Write for each tablespace of the backup, by its oid, {"loc": "/path", "link": "pg_tblspc/<oid>"}.' },
      );
    }
    return { from: original.location, to: wanted.data.loc };
  });
}

import { isDeepStrictEqual } from 'node:util';
import { NotFoundError, UsageError } from '../errors.ts';
import type { BackupRecord } from './backup-catalogue.ts';

/**
 * The one backup that has these user data.
 *
 * @param userData - any JSON, with integers as bigint
 * @throws {@link NotFoundError} when none has them, {@link UsageError} when several have
 */
export function findByUserData(userData: unknown, backups: readonly BackupRecord[]): BackupRecord {
  const found = backups.filter((backup) => isDeepStrictEqual(backup.userData, userData));
  const [only] = found;
  if (only === undefined) throw new NotFoundError('no backup has these user data');
  if (found.length === 1) return only;
  throw new UsageError(`several backups have these user data: ${found.map(({ name }) => name).join(', ')}`, {
    hint: 'Name the one that is meant.',
  });
}

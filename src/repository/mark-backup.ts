import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { findBackup, listBackups } from './backup-catalogue.ts';
import { chainOf, readChainLookup } from './backup-chain.ts';
import { formatJsonObject, readJsonObject } from './json-object.ts';
import { metadataKey } from './layout.ts';
import type { Repository } from './repository.ts';

/**
 * Makes a backup permanent, with all backups that it stands on, or ends its being permanent. Only metadata.json is written, as WAL-G does
 * it; everything else in there stays as it is.
 *
 * @returns the names of the backups that were changed, the full one first
 * @throws {@link NotFoundError} when there is no such backup, or a parent of it is missing
 * @throws {@link UsageError} when a permanent backup stands on the one that is to be permanent no more
 */
export async function markBackup(
  repository: Repository,
  nameOrLatest: string,
  isPermanent: boolean,
  options: CallOptions = {},
): Promise<readonly string[]> {
  const backup = await findBackup(repository, nameOrLatest, options);
  const marked = isPermanent
    ? chainOf(backup, await readChainLookup(repository, backup, options)).toReversed()
    : [backup];
  if (!isPermanent) await refusePermanentChildren(repository, backup.name, options);
  const changing = marked.filter((each) => each.isPermanent !== isPermanent);
  // The full backup comes first: wherever it ends early, nothing permanent stands on something that is not.
  for (const { name } of changing) await writeMark(repository, name, isPermanent, options);
  return changing.map(({ name }) => name);
}

async function refusePermanentChildren(repository: Repository, name: string, options: CallOptions): Promise<void> {
  const backups = await listBackups(repository, options);
  const child = backups.find((backup) => backup.isPermanent && backup.parent?.name === name);
  if (child === undefined) return;
  throw new UsageError(`cannot mark ${name} impermanent: the permanent backup ${child.name} stands on it`, {
    hint: `Mark ${child.name} impermanent first.`,
  });
}

async function writeMark(repository: Repository, name: string, isPermanent: boolean, options: CallOptions) {
  const { store } = repository;
  const key = metadataKey(name);
  const metadata = await readJsonObject(store, key, z.record(z.string(), z.unknown()), options);
  await store.put(key, formatJsonObject({ ...metadata.value, is_permanent: isPermanent }), options);
}

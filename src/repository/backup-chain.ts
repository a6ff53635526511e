import { IntegrityError, NotFoundError } from '../errors.ts';
import { formatLsn } from '../postgres/lsn.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { type BackupRecord, findBackup } from './backup-catalogue.ts';
import { isBackupName } from './layout.ts';
import type { Repository } from './repository.ts';

/** A backup with everything that it stands on: itself first, then its parent, down to the full backup. A full backup stands alone. */
export type BackupChain = readonly [BackupRecord, ...BackupRecord[]];

/** How the chain of a backup is looked up. */
export interface ChainLookup {
  /** The readable backups by name. */
  readonly backups: ReadonlyMap<string, BackupRecord>;
  /** Why others cannot be read, by name. */
  readonly damaged?: ReadonlyMap<string, IntegrityError>;
}

/**
 * Follows a backup down to its full backup. It goes by what the sentinels say: names of deltas are no guide, each program makes them in its own way.
 *
 * @throws {@link IntegrityError} naming the parent, when the chain is incomplete or contradicts itself
 */
export function chainOf(backup: BackupRecord, lookup: ChainLookup): BackupChain {
  const chain: [BackupRecord, ...BackupRecord[]] = [backup];
  const names = new Set([backup.name]);
  for (let link = backup; link.parent !== undefined; ) {
    const parent = findParent(link.name, link.parent.name, lookup);
    if (names.has(parent.name)) throw broken(link, 'which stands upon it in turn');
    chain.push(parent);
    names.add(parent.name);
    link = parent;
  }
  const full = chain.at(-1) ?? backup;
  for (const [index, link] of chain.toReversed().entries()) {
    const parent = chain.at(-index);
    if (index > 0 && parent !== undefined) checkLink(link, parent, index, full.name);
  }
  return chain;
}

/** Reads what a backup stands on, one after the other, as far as it is there. */
export async function readChainLookup(
  repository: Repository,
  backup: BackupRecord,
  options: CallOptions = {},
): Promise<ChainLookup> {
  const backups = new Map([[backup.name, backup]]);
  const damaged = new Map<string, IntegrityError>();
  let name = backup.parent?.name;
  while (name !== undefined && isBackupName(name) && !backups.has(name)) {
    const parentName: string = name;
    try {
      const link = await findBackup(repository, parentName, options);
      backups.set(parentName, link);
      name = link.parent?.name;
    } catch (error) {
      if (error instanceof IntegrityError) damaged.set(parentName, error);
      else if (!(error instanceof NotFoundError)) throw error;
      break;
    }
  }
  return { backups, damaged };
}

/** Why a backup cannot be restored for lack of what it stands on; undefined when its chain is whole. */
export function chainProblem(backup: BackupRecord, lookup: ChainLookup): IntegrityError | undefined {
  try {
    chainOf(backup, lookup);
    return undefined;
  } catch (error) {
    if (error instanceof IntegrityError) return error;
    throw error;
  }
}

function findParent(name: string, parentName: string, { backups, damaged }: ChainLookup): BackupRecord {
  const parent = backups.get(parentName);
  if (parent !== undefined) return parent;
  const cause = damaged?.get(parentName);
  const what = cause === undefined ? 'is not in the repository' : 'cannot be read';
  throw new IntegrityError(`${name} is a delta upon ${parentName}, which ${what}`, {
    cause,
    hint: hintFor(parentName),
  });
}

/** @param step - of the link in its chain: 1 for the delta upon the full backup */
function checkLink(link: BackupRecord, parent: BackupRecord, step: number, fullName: string): void {
  const [id, parentId] = [link.systemIdentifier, parent.systemIdentifier];
  if (id !== undefined && parentId !== undefined && id !== parentId) {
    throw broken(link, `which is of the cluster ${parentId} instead of ${id}`);
  }
  const [major, parentMajor] = [link, parent].map(({ pgVersion }) => Math.floor(pgVersion / 10_000));
  if (major !== parentMajor) throw broken(link, `which is of PostgreSQL ${parentMajor}, not ${major}`);
  const [startLsn, parentStart, parentEnd] = [link.startLsn, parent.startLsn, parent.finishLsn].map(formatLsn);
  const said = link.parent;
  if (said?.startLsn !== parent.startLsn) {
    const before = said === undefined ? 'nowhere' : formatLsn(said.startLsn);
    throw broken(link, `which began at ${parentStart}, while the delta was made upon one that began at ${before}`);
  }
  if (parent.finishLsn > link.startLsn) {
    throw broken(link, `which ended at ${parentEnd}, behind the delta's start at ${startLsn}`);
  }
  if (said.count !== step) throw broken(link, `which makes it step ${step} of its chain, not ${said.count} as it says`);
  if (said.fullName !== fullName) {
    throw broken(link, `and says that its full backup is ${said.fullName}, but the chain leads to ${fullName}`);
  }
}

function broken({ name, parent }: BackupRecord, what: string): IntegrityError {
  const parentName = parent?.name ?? '';
  return new IntegrityError(`${name} is a delta upon ${parentName}, ${what}`, { hint: hintFor(parentName) });
}

function hintFor(parentName: string): string {
  return `Bring the right ${parentName} back from another copy of the repository, or restore an older backup: the archived WAL leads on from there.`;
}

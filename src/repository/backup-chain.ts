import { IntegrityError } from '../errors.ts';
import { formatLsn } from '../postgres/lsn.ts';
import type { BackupRecord } from './backup-catalogue.ts';

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
    checkLink(link, link.parent, parent);
    chain.push(parent);
    names.add(parent.name);
    link = parent;
  }
  const full = chain.at(-1)?.name;
  const stray = chain.find(({ parent }) => parent !== undefined && parent.fullName !== full);
  if (stray === undefined) return chain;
  throw broken(stray, `and its full backup is said to be ${stray.parent?.fullName}, but the chain leads to ${full}`);
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

function checkLink(link: BackupRecord, said: NonNullable<BackupRecord['parent']>, parent: BackupRecord): void {
  const ids = [link.systemIdentifier, parent.systemIdentifier];
  if (ids[0] !== undefined && ids[1] !== undefined && ids[0] !== ids[1]) {
    throw broken(link, `which is of the cluster ${ids[1]} instead of ${ids[0]}`);
  }
  if (said.startLsn !== parent.startLsn) {
    const [expected, found] = [said.startLsn, parent.startLsn].map(formatLsn);
    throw broken(link, `which began at ${found}, while the delta was made upon one that began at ${expected}`);
  }
  if (parent.finishLsn > link.startLsn) {
    throw broken(
      link,
      `which ended at ${formatLsn(parent.finishLsn)}, behind the delta's start at ${formatLsn(link.startLsn)}`,
    );
  }
  const steps = (parent.parent?.count ?? 0) + 1;
  if (said.count !== steps)
    throw broken(link, `which makes it step ${steps} of its chain, not ${said.count} as it says`);
  const majors = [link, parent].map(({ pgVersion }) => Math.floor(pgVersion / 10_000));
  if (majors[0] !== majors[1]) throw broken(link, `which is of PostgreSQL ${majors[1]}, not ${majors[0]}`);
}

function broken({ name, parent }: BackupRecord, what: string): IntegrityError {
  const parentName = parent?.name ?? '';
  return new IntegrityError(`${name} is a delta upon ${parentName}, ${what}`, { hint: hintFor(parentName) });
}

function hintFor(parentName: string): string {
  return `Bring the right ${parentName} back from another copy of the repository, or restore an older backup: the archived WAL leads on from there.`;
}

import type { Context } from '../context.ts';
import { ConfigError, IntegrityError, NotFoundError, StoreError, UsageError } from '../errors.ts';
import { parseWalFileName, type WalFileName } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import {
  findWal,
  holdsObjects,
  likelyWalPlace,
  nameOfObject,
  openWal,
  readWal,
  type WalPlace,
} from '../repository/wal-archive.ts';
import { createBackOff } from '../util/back-off.ts';
import { checkedWal, type WalExpectation } from './check-wal.ts';
import { findDataDirectory, readCluster } from './cluster.ts';
import { withDeadline } from './deadline.ts';
import { placeFile, sweepLeftovers } from './placing.ts';
import { haveSameBytes } from './same-bytes.ts';

export interface FetchOptions {
  /** `%f` of restore_command. */
  readonly fileName: string;
  /** `%p` of restore_command; relative to the working directory. */
  readonly destination: string;
  /** Where the data directory is, if neither above `pg_wal` nor the working directory. */
  readonly dataDirectory?: string | undefined;
  /** Whether the file must survive a power loss; so it does unless told. */
  readonly isDurable?: boolean | undefined;
  /** How long to try for a clear answer; without it, for ever. */
  readonly deadlineMs?: number | undefined;
}

export interface FetchResult {
  readonly fileName: string;
  /** The object that it came from. */
  readonly key: string;
  /** Of that object. */
  readonly storedSizeBytes: number;
}

/** Waits between attempts, which the deadline of the whole call ends. */
const patience = { initialDelayMs: 500, maximumDelayMs: 15_000, deadlineMs: Number.POSITIVE_INFINITY };

/**
 * Brings one WAL file back. When it resolves, the destination holds all of it, verified: readable to its last checksum, of the
 * exact size, the segment that its name says, of this cluster where that is known. Otherwise nothing is at the destination that
 * was not there before. What may pass (a store that cannot be reached) is tried again until the deadline.
 *
 * @throws {@link NotFoundError} only when the repository answered, and proved that it is one, and there is no such file
 * @throws {@link IntegrityError} when what is stored is not what its name says, or is stored twice with different bytes
 * @throws {@link UsageError} when the name is not that of a WAL file
 * @throws the store's and the file system's errors, and `BusyError` after the deadline
 */
export async function fetchWal(repository: Repository, options: FetchOptions, context: Context): Promise<FetchResult> {
  const name = parseName(options.fileName);
  let lastError: unknown;
  const deadline = {
    deadlineMs: options.deadlineMs,
    operation: `wal-fetch of ${name.fileName}`,
    lastError: () => lastError,
  };
  return await withDeadline(deadline, context, async (signal) => {
    const job = await prepareJob(repository, options, { ...context, signal });
    const waits = createBackOff(patience, {
      clock: context.clock,
      signal,
      isTransient: (error) => error instanceof StoreError && error.retryable,
    });
    for (;;) {
      try {
        return await fetchOnce(job);
      } catch (error) {
        lastError = error;
        await waits.afterFailure(error);
      }
    }
  });
}

/** As {@link fetchWal}, but with one attempt, which may take as long as it takes. */
export async function fetchWalOnce(
  repository: Repository,
  options: FetchOptions,
  context: Context,
): Promise<FetchResult> {
  return await fetchOnce(await prepareJob(repository, options, context));
}

/** One attempt, with all that it needs. */
interface Job {
  readonly repository: Repository;
  readonly name: WalFileName;
  readonly destination: string;
  readonly isDurable: boolean;
  readonly expected: WalExpectation;
  readonly context: Context;
  readonly signal: AbortSignal;
}

async function prepareJob(repository: Repository, options: FetchOptions, context: Context): Promise<Job> {
  const { destination, isDurable = true } = options;
  const { signal } = context;
  const dataDirectory = await findDataDirectory(destination, options.dataDirectory);
  // What was archived from a newer PostgreSQL is left for that PostgreSQL to judge.
  const cluster = await readCluster(dataDirectory, { acceptUnknown: true, signal });
  await sweepLeftovers(destination, context.clock);
  const expected = { cluster, acceptUnknownMagic: true };
  return { repository, name: parseName(options.fileName), destination, isDurable, expected, context, signal };
}

function parseName(fileName: string): WalFileName {
  const name = parseWalFileName(fileName);
  if (name !== undefined) return name;
  throw new UsageError(`not the name of a WAL file: ${JSON.stringify(fileName)}`, {
    hint: 'Set restore_command to: seawall wal-fetch "%f" "%p".',
  });
}

/** The likeliest object first, with one request; a listing only where that one is absent or damaged. */
async function fetchOnce(job: Job): Promise<FetchResult> {
  const likely = likelyWalPlace(job.repository, job.name.fileName);
  let damage: IntegrityError | undefined;
  try {
    return await deliver(job, likely);
  } catch (error) {
    if (error instanceof IntegrityError) damage = error;
    else if (!(error instanceof NotFoundError)) throw error;
  }
  const listed = await findWal(job.repository, job.name.fileName, { signal: job.signal });
  const others = damage === undefined ? listed : listed.filter(({ key }) => key !== likely.key);
  if (others.length === 0) throw damage ?? (await proveAbsence(job));
  try {
    return await deliverListed(job, others, damage);
  } catch (error) {
    throw error instanceof NotFoundError ? stillMoving(job, error) : error;
  }
}

/** Takes the first that is whole; when several are, they must have the same bytes. */
async function deliverListed(job: Job, places: readonly WalPlace[], damage?: IntegrityError): Promise<FetchResult> {
  if (places.length > 1) await refuseContradiction(job, places);
  let firstDamage = damage;
  for (const place of places) {
    try {
      const result = await deliver(job, place);
      if (firstDamage !== undefined)
        job.context.log.warn({ err: firstDamage, key: result.key }, 'took another copy of a damaged WAL file');
      return result;
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      firstDamage ??= error;
    }
  }
  throw firstDamage;
}

/** What a listing names and nobody finds is being written or removed: the next attempt will tell. */
function stillMoving({ repository, name }: Job, cause: NotFoundError): StoreError {
  const message = `${name.fileName} is listed in ${repository.store.location}, but not there`;
  return new StoreError(message, { cause, retryable: true });
}

async function deliver(job: Job, place: WalPlace): Promise<FetchResult> {
  const opened = await openWal(job.repository, place, { signal: job.signal });
  const { signal, isDurable } = job;
  await placeFile(job.destination, () => checkedWal(job.name, opened.body, job.expected), { signal, isDurable });
  return { fileName: opened.fileName, key: opened.key, storedSizeBytes: opened.sizeBytes };
}

/** Reads them all, the first that is whole beside itself and the others beside that one; damaged ones do not count. */
async function refuseContradiction(job: Job, places: readonly WalPlace[]): Promise<void> {
  const { store } = job.repository;
  let first: WalPlace | undefined;
  for (const place of places) {
    const other = first ?? place;
    const isSame = await holdSameFile(job, place, other);
    if (isSame === undefined) continue;
    if (!isSame) {
      const names = `${nameOfObject(store, other.key)} and ${nameOfObject(store, place.key)}`;
      throw new IntegrityError(`${names} hold different bytes`, {
        hint: 'Find out which of them belongs to this cluster, and remove the other one.',
      });
    }
    first = other;
  }
}

/** Undefined when one of them is damaged. */
async function holdSameFile(job: Job, left: WalPlace, right: WalPlace): Promise<boolean | undefined> {
  const read = (place: WalPlace) =>
    checkedWal(job.name, readWal(job.repository, place, { signal: job.signal }), job.expected);
  try {
    return await haveSameBytes(read(left), read(right));
  } catch (error) {
    if (error instanceof IntegrityError) return undefined;
    throw error;
  }
}

/** The error that says that a file is absent, or that this cannot be told. */
async function proveAbsence({ repository, name, signal }: Job): Promise<NotFoundError | ConfigError> {
  const { location } = repository.store;
  if (await holdsObjects(repository, { signal })) return new NotFoundError(`${name.fileName} is not in ${location}`);
  return new ConfigError(
    `${location} holds neither WAL nor backups, so it cannot tell whether ${name.fileName} exists`,
    {
      hint: 'Check the address of the repository; where it is a directory, check that its volume is mounted.',
    },
  );
}

import { readdir, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import { parseWalFileName } from '../../postgres/wal-name.ts';
import type { Repository } from '../../repository/repository.ts';
import { listSegments } from '../../repository/wal-archive.ts';
import type { FolderWatch } from '../../util/watch-folders.ts';
import type { Half } from '../spool.ts';
import { readAsked } from '../spool-asked.ts';
import { type PrefetchWindow, planPrefetch } from './plan-prefetch.ts';

/** So many names of a listing are kept. */
const keptNames = 1_000;

/** The end of the archive is looked at again after news from recovery, but not more often than this. */
const listingPauseMs = 1_000;

/** After a failure recovery fetches for itself, and here nothing is done for a while. */
const failurePauseMs = 5_000;

/** Also without a change the spool is looked at so often: not every file system tells. */
const longestPauseMs = 1_000;

/** So many windows must fit into what is free on the file system: PostgreSQL, which writes there too, must never find it full. */
const freeWindows = 3;

export interface PrefetchQueueOptions {
  readonly half: Half;
  readonly window: PrefetchWindow;
  readonly segmentSizeBytes: number;
  /** Of the half and of `fetched/`. */
  readonly changes: FolderWatch;
}

/** The segments to fetch, in the order in which recovery will ask for them. */
export interface PrefetchQueue {
  /** Waits for recovery to go on, removes what it has left behind, and ends when the context is aborted. */
  files(): AsyncGenerator<string>;
  succeeded(fileName: string): void;
  failed(fileName: string): void;
}

export function createPrefetchQueue(
  repository: Repository,
  { half, window, segmentSizeBytes, changes }: PrefetchQueueOptions,
  { signal, log }: Context,
): PrefetchQueue {
  const folder = join(half.path, 'fetched');
  const nowMs = () => performance.now();
  const inFlight = new Set<string>();
  let held: ReadonlySet<string> = new Set();
  let askedStamp: string | undefined;
  let position: string | undefined;
  let known: ReadonlySet<string> | undefined;
  /** Recovery has gone on since the repository was listed. */
  let hasNews = true;
  let nextListingMs = 0;
  let pausedUntilMs = 0;

  return {
    files,
    succeeded: (fileName) => {
      inFlight.delete(fileName);
      held = held.union(new Set([fileName]));
    },
    failed: (fileName) => {
      inFlight.delete(fileName);
      known = undefined;
      pausedUntilMs = nowMs() + failurePauseMs;
    },
  };

  async function* files(): AsyncGenerator<string> {
    while (!signal.aborted) {
      const next = nowMs() < pausedUntilMs ? undefined : await nextSegment();
      if (next === undefined) {
        await changes.next(longestPauseMs, signal);
        continue;
      }
      inFlight.add(next);
      yield next;
    }
  }

  async function nextSegment(): Promise<string | undefined> {
    const expected = held;
    // What arrives while the directory is being read may not be in the answer, and is no longer in flight.
    const coming = new Set(inFlight);
    const present = await listFetched();
    await followRecovery(expected, present);
    held = present.union(held.difference(expected));
    if (position === undefined) return undefined;
    const state = { segmentSizeBytes, window, present, inFlight: coming };
    let plan = planPrefetch({ ...state, position, known: known ?? new Set() });
    if (plan.missing !== undefined && (hasNews || known === undefined) && nowMs() >= nextListingMs) {
      known = await listBehind(position);
      plan = planPrefetch({ ...state, position, known });
    }
    for (const name of plan.drop) await drop(name);
    return plan.fetch !== undefined && (await hasRoom()) ? plan.fetch : undefined;
  }

  async function listFetched(): Promise<Set<string>> {
    const names = await readdir(folder);
    return new Set(names.filter((name) => parseWalFileName(name)?.kind === 'segment'));
  }

  /** Moves the position on to the segment that was taken or asked for last. */
  async function followRecovery(expected: ReadonlySet<string>, present: ReadonlySet<string>): Promise<void> {
    for (const name of expected.difference(present)) {
      if (position === undefined || name > position) position = name;
      hasNews = true;
    }
    const asked = await readAsked(half);
    if (asked === undefined || asked.stamp === askedStamp) return;
    askedStamp = asked.stamp;
    position = asked.fileName;
    hasNews = true;
  }

  async function drop(name: string): Promise<void> {
    held = held.difference(new Set([name]));
    await unlink(join(folder, name)).catch(() => undefined);
  }

  async function listBehind(segment: string): Promise<ReadonlySet<string>> {
    hasNews = false;
    nextListingMs = nowMs() + listingPauseMs;
    const names = new Set<string>();
    const options = { namePrefix: segment.slice(0, 8), startAfter: segment, signal };
    try {
      for await (const { fileName } of listSegments(repository, options)) {
        names.add(fileName);
        if (names.size >= keptNames) break;
      }
    } catch (error) {
      if (!signal.aborted) log.debug({ err: error }, 'could not list what to prefetch');
      pausedUntilMs = nowMs() + failurePauseMs;
    }
    return names;
  }

  async function hasRoom(): Promise<boolean> {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize > freeWindows * window.sizeBytes;
  }
}

import type { Context } from '../../context.ts';
import type { FolderWatch } from '../../util/watch-folders.ts';
import type { Half } from '../spool.ts';
import { claim } from '../spool-claims.ts';
import { forgetFile, listFailed, listPushed } from '../spool-notes.ts';
import { compareReady, listReady } from './ready-files.ts';

/** So many files are pushed ahead of PostgreSQL; more would only make the folders slow. */
const aheadLimit = 1_000;

/** A list of waiting files is used no longer than this: a timeline history that comes meanwhile goes first. */
const listUsedMs = 1_000;

/** PostgreSQL takes file after file away, and each time the directory changes. */
const shortestPauseMs = 50;

/** Listing takes at most a small part of the time, however many files there are. */
const pausePerListing = 10;

/** Also without a change the directory is looked at so often: not every file system tells. */
const longestPauseMs = 1_000;

/** How long after its n-th failure in a row a file is tried again; PostgreSQL itself tries it about as often. */
const retryDelaysMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

export interface ReadyQueueSources {
  readonly half: Half;
  readonly dataDirectory: string;
  /** Of archive_status. */
  readonly changes: FolderWatch;
}

/** The files to push, in the order in which PostgreSQL will ask for them. */
export interface ReadyQueue {
  /** Each file once, claimed for this process; waits for more, and ends when the context is aborted. */
  files(): AsyncGenerator<string>;
  succeeded(fileName: string): void;
  /** The file will come again after a while, and none behind it before that. */
  failed(fileName: string): void;
}

interface Trouble {
  readonly fileName: string;
  readonly failures: number;
  readonly retryAtMs: number;
}

export function createReadyQueue({ half, dataDirectory, changes }: ReadyQueueSources, context: Context): ReadyQueue {
  const begun = new Set<string>();
  let trouble: Trouble | undefined;
  const nowMs = () => performance.now();

  return {
    files,
    succeeded: (fileName) => {
      if (trouble?.fileName === fileName) trouble = undefined;
    },
    failed: (fileName) => {
      begun.delete(fileName);
      const failures = trouble?.fileName === fileName ? trouble.failures + 1 : 1;
      const delayMs = retryDelaysMs[failures - 1] ?? retryDelaysMs.at(-1) ?? 0;
      // Of several files that fail side by side, the first is the one that PostgreSQL waits for.
      if (trouble === undefined || compareReady(fileName, trouble.fileName) <= 0) {
        trouble = { fileName, failures, retryAtMs: nowMs() + delayMs };
      }
    },
  };

  async function* files(): AsyncGenerator<string> {
    while (!context.signal.aborted) {
      const startedMs = nowMs();
      const ready = await listReady(dataDirectory);
      const ahead = await forgetArchived(ready);
      const listingMs = nowMs() - startedMs;
      if (trouble !== undefined && !ready.includes(trouble.fileName)) trouble = undefined;

      let count = 0;
      for (const fileName of candidates(ready, ahead)) {
        const isOutdated = nowMs() - startedMs > listUsedMs;
        const isFull = ahead.size + count >= aheadLimit;
        if (context.signal.aborted || isOutdated || isFull || isBehindTrouble(fileName)) break;
        if (!(await claim(half, fileName))) continue;
        begun.add(fileName);
        count += 1;
        yield fileName;
      }
      if (count > 0) continue;
      await context.clock
        .sleep(Math.max(shortestPauseMs, listingMs * pausePerListing), context.signal)
        .catch(() => undefined);
      await changes.next(longestPauseMs, context.signal);
    }
  }

  function candidates(ready: readonly string[], ahead: ReadonlySet<string>): readonly string[] {
    const open = ready.filter((fileName) => !ahead.has(fileName) && !begun.has(fileName));
    return open.filter((fileName) => !isBehindTrouble(fileName) && !isTooEarly(fileName));
  }

  /** A file that a call had in flight is none of these: PostgreSQL waits for it, and it comes before the one that failed. */
  function isBehindTrouble(fileName: string): boolean {
    return trouble !== undefined && compareReady(fileName, trouble.fileName) > 0;
  }

  function isTooEarly(fileName: string): boolean {
    return trouble?.fileName === fileName && nowMs() < trouble.retryAtMs;
  }

  /** The files that are noted as durable, without those that PostgreSQL has asked for, whose notes are gone now. */
  async function forgetArchived(ready: readonly string[]): Promise<Set<string>> {
    const waiting = new Set(ready);
    for (const fileName of begun) if (!waiting.has(fileName)) begun.delete(fileName);
    for (const fileName of await listFailed(half)) if (!waiting.has(fileName)) await forgetFile(half, fileName);
    const pushed = new Set(await listPushed(half));
    for (const fileName of pushed) {
      if (waiting.has(fileName)) continue;
      await forgetFile(half, fileName);
      pushed.delete(fileName);
    }
    return pushed;
  }
}

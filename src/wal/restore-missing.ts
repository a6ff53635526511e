import { join } from 'node:path';
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { describeError, IntegrityError, NotFoundError, UsageError } from '../errors.ts';
import type { Lsn } from '../postgres/lsn.ts';
import { segmentOfLsn, segmentStartLsn } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import { fetchWal } from './fetch.ts';
import { findCheckpointBefore } from './find-checkpoint.ts';
import { findParting, segmentsAlong } from './parting.ts';
import { type RewindSide, readRewindSide } from './rewind-side.ts';

/** Two data directories on this machine, as pg_rewind takes them. */
export interface RewindDirectories {
  /** The one to be rewound. */
  readonly target: string;
  /** The one whose history it is to follow. */
  readonly source: string;
  /** How long to try for each segment. */
  readonly deadlineMs: number;
}

/** Segments that were brought back, by the directory that lacked them. */
export interface RestoredSegments {
  readonly target: readonly string[];
  readonly source: readonly string[];
}

/** Fetches side by side. */
const fetchesAtOnce = 4;

/**
 * Puts the WAL that pg_rewind needs back into the two `pg_wal`, as far as it is missing there and archived: of the target what
 * pg_rewind reads to find the pages that have changed, of the source what the rewound cluster replays. Both begin at the last checkpoint
 * before the two have parted, which is looked for in the target's WAL, one segment after the other back from there, as pg_rewind does.
 *
 * @throws {@link UsageError} when the two are on one timeline, {@link IntegrityError} when they are of different clusters, or have
 *   nothing in common
 * @throws {@link NotFoundError} at the end, naming the segments that are not archived
 */
export async function restoreMissingWal(
  repository: Repository,
  directories: RewindDirectories,
  context: Context,
): Promise<RestoredSegments> {
  const target = await readRewindSide(repository, directories.target, context);
  const source = await readRewindSide(repository, directories.source, context);
  checkSides(target, source);
  const parting = findParting(target.history, source.history);
  if (parting === undefined) {
    throw new IntegrityError(`${target.directory} and ${source.directory} have no timeline in common`);
  }
  const restored = { target: new Set<string>(), source: new Set<string>() };
  const absent: string[] = [];
  const from = await findStart(parting);
  // What came after the last checkpoint no server removes; and names beyond may be those of segments to be used again.
  await fill(source, from, restored.source);
  await fill(target, from, restored.target);
  if (absent.length === 0) return { target: [...restored.target].sort(), source: [...restored.source].sort() };
  throw new NotFoundError(`not in ${repository.store.location}: ${[...new Set(absent)].join(', ')}`, {
    hint: 'Without them pg_rewind, or the recovery after it, fails: make a new copy of the source instead.',
  });

  /** Where recovery of the rewound cluster begins. */
  async function findStart(end: Lsn): Promise<Lsn> {
    const { control, history, walDirectory } = target;
    if (control.checkpointLsn < end) return control.redoLsn;
    let position = segmentOfLsn(control.timeline, end, control.segmentSizeBytes);
    for (;;) {
      const startLsn = segmentStartLsn(position, control.segmentSizeBytes);
      const [name = ''] = segmentsAlong({ ...control, history, from: startLsn, to: startLsn });
      if (!(await bring(target, name, restored.target))) return startLsn;
      const checkpoint = await findCheckpointBefore(join(walDirectory, name), startLsn, end);
      if (checkpoint !== undefined) return checkpoint.redoLsn;
      if (position.segmentNumber === 0n) return startLsn;
      position = { ...position, segmentNumber: position.segmentNumber - 1n };
    }
  }

  async function fill(side: RewindSide, start: Lsn, fetched: Set<string>): Promise<void> {
    const { control, history } = side;
    const names = segmentsAlong({ ...control, history, from: start, to: control.checkpointLsn });
    await pMap(names, (name) => bring(side, name, fetched), { concurrency: fetchesAtOnce, signal: context.signal });
  }

  /** Whether the segment is there now. */
  async function bring({ held, walDirectory }: RewindSide, name: string, fetched: Set<string>): Promise<boolean> {
    if (held.has(name) || fetched.has(name)) return true;
    const options = { fileName: name, destination: join(walDirectory, name), deadlineMs: directories.deadlineMs };
    try {
      await fetchWal(repository, options, context);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      context.log.warn({ segment: name, cause: describeError(error) }, 'a missing segment is not archived');
      absent.push(name);
      return false;
    }
    fetched.add(name);
    return true;
  }
}

function checkSides(target: RewindSide, source: RewindSide): void {
  if (target.control.systemIdentifier !== source.control.systemIdentifier) {
    throw new IntegrityError(`${target.directory} and ${source.directory} are of different clusters`, {
      hint: 'Their system identifiers differ: see pg_controldata.',
    });
  }
  if (target.control.timeline !== source.control.timeline) return;
  throw new UsageError(
    `${target.directory} and ${source.directory} are both on timeline ${target.control.timeline}: nothing to rewind`,
    { hint: 'If the source was promoted a moment ago, let it write a checkpoint first.' },
  );
}

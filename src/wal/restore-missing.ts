import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { describeError, IntegrityError, NotFoundError, systemErrorCode, UsageError } from '../errors.ts';
import { type ControlFile, readControlFile } from '../postgres/control-file.ts';
import { type Lsn, toLsn } from '../postgres/lsn.ts';
import { parseTimelineHistory, rootTimeline, type TimelineHistory } from '../postgres/timeline-history.ts';
import { formatHistoryName, parseSegmentName, parseWalFileName, segmentStartLsn } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import { readHistory } from '../repository/timeline-histories.ts';
import { fileError } from '../util/file-error.ts';
import { fetchWal } from './fetch.ts';
import { findParting, segmentsAlong } from './parting.ts';

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
 * Puts the WAL that pg_rewind needs back into the two `pg_wal`, as far as it is missing there and archived: of the source what the
 * rewound cluster replays, of the target what pg_rewind reads to find the pages that have changed. Both from the last checkpoint
 * that they have in common, where the target's control file still names it, otherwise from the segment in which they parted.
 *
 * @throws {@link UsageError} when the two are on one timeline, {@link IntegrityError} when they are of different clusters, or have nothing in common
 * @throws {@link NotFoundError} at the end, naming the segments that are not archived
 */
export async function restoreMissingWal(
  repository: Repository,
  directories: RewindDirectories,
  context: Context,
): Promise<RestoredSegments> {
  const [target, source] = await Promise.all([readSide(directories.target), readSide(directories.source)]);
  checkSides();
  const parting = findParting(target.history, source.history);
  if (parting === undefined) {
    throw new IntegrityError(`${directories.target} and ${directories.source} have no timeline in common`);
  }
  const isCheckpointCommon = target.control.redoLsn < parting;
  const from = isCheckpointCommon ? target.control.redoLsn : parting;
  const absent: string[] = [];
  const restored = { target: await fill(target), source: await fill(source) };
  if (absent.length === 0) return restored;
  throw new NotFoundError(`not in ${repository.store.location}: ${absent.join(', ')}`, {
    hint: 'pg_rewind may do without the oldest of them; without the others the target needs a new copy.',
  });

  function checkSides(): void {
    if (target.control.systemIdentifier !== source.control.systemIdentifier) {
      throw new IntegrityError(`${directories.target} and ${directories.source} are of different clusters`, {
        hint: 'Their system identifiers differ: see pg_controldata.',
      });
    }
    if (target.control.timeline !== source.control.timeline) return;
    throw new UsageError(
      `${directories.target} and ${directories.source} are both on timeline ${target.control.timeline}: nothing to rewind`,
      { hint: 'After a promotion let the source write a checkpoint first.' },
    );
  }

  async function readSide(directory: string): Promise<Side> {
    const control = await readControlFile(directory, context.signal);
    const walDirectory = join(directory, 'pg_wal');
    const held = new Set(await namesIn(walDirectory));
    return { control, walDirectory, held, history: await historyOf(control.timeline, walDirectory) };
  }

  async function historyOf(timeline: number, walDirectory: string): Promise<TimelineHistory> {
    if (timeline === 1) return rootTimeline(1);
    const path = join(walDirectory, formatHistoryName(timeline));
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw fileError(`cannot read ${path}`, path, error);
      return undefined;
    });
    const history =
      text === undefined
        ? await readHistory(repository, timeline, { signal: context.signal })
        : parseTimelineHistory(text, timeline);
    if (history !== undefined) return history;
    throw new NotFoundError(`${formatHistoryName(timeline)} is neither in ${walDirectory} nor archived`);
  }

  async function fill({ control, walDirectory, held, history }: Side): Promise<string[]> {
    const { segmentSizeBytes } = control;
    const wanted = segmentsAlong({ history, from, to: endOf(control, held), segmentSizeBytes });
    const fetched = await pMap(
      wanted.filter((name) => !held.has(name)),
      async (fileName) => {
        const destination = join(walDirectory, fileName);
        try {
          await fetchWal(repository, { fileName, destination, deadlineMs: directories.deadlineMs }, context);
          return fileName;
        } catch (error) {
          if (!(error instanceof NotFoundError)) throw error;
          context.log.warn({ segment: fileName, cause: describeError(error) }, 'a missing segment is not archived');
          absent.push(fileName);
          return undefined;
        }
      },
      { concurrency: fetchesAtOnce, signal: context.signal },
    );
    return fetched.filter((name) => name !== undefined);
  }
}

interface Side {
  readonly control: ControlFile;
  readonly walDirectory: string;
  /** Names of the files in there. */
  readonly held: ReadonlySet<string>;
  readonly history: TimelineHistory;
}

/** A position in the last segment that the cluster has written: that of the newest one in its directory, or of its checkpoint. */
function endOf({ timeline, checkpointLsn, segmentSizeBytes }: ControlFile, held: ReadonlySet<string>): Lsn {
  let end: bigint = checkpointLsn;
  for (const fileName of held) {
    const name = parseWalFileName(fileName);
    if (name?.kind !== 'segment' || name.timeline !== timeline) continue;
    const startLsn = segmentStartLsn(parseSegmentName(fileName, segmentSizeBytes), segmentSizeBytes);
    if (startLsn > end) end = startLsn;
  }
  return toLsn(end);
}

async function namesIn(walDirectory: string): Promise<string[]> {
  try {
    return await readdir(walDirectory);
  } catch (error) {
    throw fileError(`cannot read ${walDirectory}`, walDirectory, error);
  }
}

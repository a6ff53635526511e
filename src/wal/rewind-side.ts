import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { NotFoundError, systemErrorCode } from '../errors.ts';
import { type ControlFile, readControlFile } from '../postgres/control-file.ts';
import { parseTimelineHistory, rootTimeline, type TimelineHistory } from '../postgres/timeline-history.ts';
import { formatHistoryName } from '../postgres/wal-name.ts';
import type { Repository } from '../repository/repository.ts';
import { readHistory } from '../repository/timeline-histories.ts';
import { fileError } from '../util/file-error.ts';

/** One of the two clusters of a rewind. */
export interface RewindSide {
  readonly directory: string;
  readonly control: ControlFile;
  readonly history: TimelineHistory;
  readonly walDirectory: string;
  /** Names of the files in there. */
  readonly held: ReadonlySet<string>;
}

/**
 * Reads what a data directory says of its cluster; a history file that is missing there is looked for in the archive.
 *
 * @throws {@link LocalFileError} or {@link PermissionError} when it cannot be read, {@link IntegrityError} when something is damaged
 * @throws {@link NotFoundError} when the history of its timeline is nowhere
 */
export async function readRewindSide(
  repository: Repository,
  directory: string,
  { signal }: Context,
): Promise<RewindSide> {
  const walDirectory = join(directory, 'pg_wal');
  const control = await readControlFile(directory, signal);
  const names = await readdir(walDirectory).catch((error: unknown) => {
    throw fileError(`cannot read ${walDirectory}`, walDirectory, error);
  });
  const { timeline } = control;
  const history =
    timeline === 1
      ? rootTimeline(1)
      : ((await readLocalHistory(walDirectory, timeline)) ?? (await readHistory(repository, timeline, { signal })));
  if (history === undefined) {
    throw new NotFoundError(`${formatHistoryName(timeline)} is neither in ${walDirectory} nor archived`);
  }
  return { directory, control, history, walDirectory, held: new Set(names) };
}

async function readLocalHistory(walDirectory: string, timeline: number): Promise<TimelineHistory | undefined> {
  const path = join(walDirectory, formatHistoryName(timeline));
  try {
    return parseTimelineHistory(await readFile(path, 'utf8'), timeline);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw systemErrorCode(error) === undefined ? error : fileError(`cannot read ${path}`, path, error);
  }
}

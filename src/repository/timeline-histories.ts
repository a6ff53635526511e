import { text } from 'node:stream/consumers';
import { parseTimelineHistory, type TimelineHistory } from '../postgres/timeline-history.ts';
import { formatHistoryName } from '../postgres/wal-name.ts';
import type { CallOptions } from '../storage/object-store.ts';
import type { Repository } from './repository.ts';
import { findWal, readWal } from './wal-archive.ts';

/**
 * The history of a timeline as it is archived; undefined when there is none, as for timeline 1.
 *
 * @throws {@link IntegrityError} when the history file is damaged
 */
export async function readHistory(
  repository: Repository,
  timeline: number,
  options: CallOptions = {},
): Promise<TimelineHistory | undefined> {
  const [stored] = await findWal(repository, formatHistoryName(timeline), options);
  if (stored === undefined) return undefined;
  return parseTimelineHistory(await text(readWal(repository, stored, options)), timeline);
}

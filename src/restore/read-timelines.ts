import type { TimelineHistory } from '../postgres/timeline-history.ts';
import type { Repository } from '../repository/repository.ts';
import { readHistory } from '../repository/timeline-histories.ts';
import type { CallOptions } from '../storage/object-store.ts';
import type { TargetTimeline, TimelineHistories } from './choose-timeline.ts';

/**
 * Reads the histories that matter to backups on these timelines: from each of them on, one number after the other up to the first
 * without a history file, as PostgreSQL looks for the latest; besides them that of the target timeline.
 *
 * @throws {@link IntegrityError} for a history file that is damaged
 */
export async function readTimelines(
  repository: Repository,
  backupTimelines: readonly number[],
  target: TargetTimeline,
  options: CallOptions,
): Promise<TimelineHistories> {
  const histories = new Map<number, TimelineHistory>();
  const read = async (timeline: number): Promise<boolean> => {
    if (timeline === 1 || histories.has(timeline)) return true;
    const history = await readHistory(repository, timeline, options);
    if (history !== undefined) histories.set(timeline, history);
    return history !== undefined;
  };
  for (const timeline of new Set(backupTimelines)) {
    await read(timeline);
    for (let next = timeline + 1; await read(next); ) next += 1;
  }
  if (typeof target === 'number') await read(target);
  return histories;
}

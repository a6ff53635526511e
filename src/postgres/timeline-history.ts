import { IntegrityError } from '../errors.ts';
import { formatLsn, type Lsn, parseLsn } from './lsn.ts';
import { formatHistoryName } from './wal-name.ts';

/** Where a timeline was left for the next one. */
export interface TimelineSwitch {
  /** The timeline that ends here. */
  readonly timeline: number;
  /** Its WAL counts up to, but not including, this position. */
  readonly switchLsn: Lsn;
  /** PostgreSQL's words: `no recovery target specified`, `before 2026-11-21 10:00:00+00` … */
  readonly reason: string;
}

/** How a timeline came about: its ancestors from the oldest on, with ascending numbers and positions. Timeline 1 has none. */
export interface TimelineHistory {
  readonly timeline: number;
  readonly ancestors: readonly TimelineSwitch[];
}

/** The history of a timeline that nothing precedes, as that of timeline 1, for which PostgreSQL writes no file. */
export function rootTimeline(timeline: number): TimelineHistory {
  return { timeline, ancestors: [] };
}

/**
 * Parses a `.history` file: lines of `ancestor<TAB>LSN<TAB>reason` with a decimal ancestor; empty lines and lines that begin
 * with `#` do not count.
 *
 * @param timeline - the one in the file's name
 * @throws {@link IntegrityError} when it is empty, malformed or contradicts itself; PostgreSQL refuses all but the empty one too
 * @see postgres src/backend/access/transam/timeline.c, readTimeLineHistory
 */
export function parseTimelineHistory(text: string, timeline: number): TimelineHistory {
  const fail = (problem: string): IntegrityError =>
    new IntegrityError(`timeline history ${formatHistoryName(timeline)} ${problem}`, {
      hint: 'Take the file from another copy of the archive or from the pg_wal of a server on that timeline.',
    });

  const ancestors: TimelineSwitch[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*(#|$)/.test(line)) continue;
    const fields = /^\s*(\d+)\s+([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})(?:\s+(.*))?$/.exec(line);
    if (fields === null) throw fail(`has a line that is not one: ${JSON.stringify(line)}`);
    const [, number = '', lsn = '', reason = ''] = fields;
    const ancestor = { timeline: Number(number), switchLsn: parseLsn(lsn), reason };
    const previous = ancestors.at(-1);
    if (ancestor.timeline < 1 || ancestor.timeline <= (previous?.timeline ?? 0)) {
      throw fail(`has its timelines out of order at ${ancestor.timeline}`);
    }
    if (ancestor.timeline >= timeline) throw fail(`names timeline ${ancestor.timeline} as its ancestor`);
    if (previous !== undefined && ancestor.switchLsn < previous.switchLsn) {
      throw fail(`goes back from ${formatLsn(previous.switchLsn)} to ${formatLsn(ancestor.switchLsn)}`);
    }
    ancestors.push(ancestor);
  }
  if (ancestors.length === 0) throw fail('is empty');
  return { timeline, ancestors };
}

/** The timeline to which the byte at this position belongs along the history; from a switch on it is the younger one's. */
export function timelineAt(history: TimelineHistory, lsn: Lsn): number {
  return history.ancestors.find((ancestor) => lsn < ancestor.switchLsn)?.timeline ?? history.timeline;
}

/** Where the history leaves a timeline: an LSN, 'never' for the last one, undefined when the timeline is no part of it. */
export function switchLsnFrom(history: TimelineHistory, timeline: number): Lsn | 'never' | undefined {
  if (timeline === history.timeline) return 'never';
  return history.ancestors.find((ancestor) => ancestor.timeline === timeline)?.switchLsn;
}

/**
 * Whether recovery can go from a backup along this history: the backup must have ended on a timeline that is part of it, not
 * after the history leaves that timeline.
 *
 * @param backup - the timeline and LSN at which the backup ended
 */
export function isReachable(
  history: TimelineHistory,
  backup: { readonly timeline: number; readonly stopLsn: Lsn },
): boolean {
  const switchLsn = switchLsnFrom(history, backup.timeline);
  return switchLsn === 'never' || (switchLsn !== undefined && backup.stopLsn <= switchLsn);
}

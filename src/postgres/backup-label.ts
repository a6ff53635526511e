import { IntegrityError } from '../errors.ts';
import { type Lsn, parseLsn } from './lsn.ts';

/** What `backup_label` says, and the `.backup` file that a primary archives at the end of a backup. */
export interface BackupLabel {
  /** Recovery begins here. */
  readonly startLsn: Lsn;
  /** The segment that holds the start. */
  readonly startSegment: string;
  readonly timeline: number;
  readonly checkpointLsn: Lsn;
  /** `streamed`, or `pg_start_backup` for the exclusive backups of PostgreSQL 14 and before. */
  readonly method: string | undefined;
  readonly from: 'primary' | 'standby' | undefined;
  /** In the server's `log_timezone`, for people only. */
  readonly startTime: string | undefined;
  readonly label: string | undefined;
  /** Of an incremental backup: the start of the one that it builds upon. A server refuses to start with it. */
  readonly incrementalFrom: { readonly lsn: Lsn; readonly timeline: number } | undefined;
  /** Only in a `.backup` file. */
  readonly stop: { readonly lsn: Lsn; readonly segment: string; readonly timeline: number } | undefined;
}

/**
 * Parses a backup label or `.backup` file.
 *
 * @throws {@link IntegrityError} when a position is missing or the timelines contradict each other
 * @see postgres src/backend/access/transam/xlogbackup.c (build_backup_content), xlogrecovery.c (read_backup_label)
 */
export function parseBackupLabel(content: Uint8Array): BackupLabel {
  const fields = parseFields(Buffer.from(content).toString());
  const start = parseLocation(fields, 'START WAL LOCATION');
  if (start === undefined) throw damaged('it has no START WAL LOCATION');
  const checkpoint = fields.get('CHECKPOINT LOCATION');
  if (checkpoint === undefined) throw damaged('it has no CHECKPOINT LOCATION');
  const timeline = timelineOf(start.segment);
  if (parseTimeline(fields, 'START TIMELINE', timeline) !== timeline) {
    throw damaged(`START TIMELINE does not fit segment ${start.segment}`);
  }
  const stop = parseLocation(fields, 'STOP WAL LOCATION');
  const incrementalFrom = fields.get('INCREMENTAL FROM LSN');
  return {
    startLsn: start.lsn,
    startSegment: start.segment,
    timeline,
    checkpointLsn: parsePosition('CHECKPOINT LOCATION', checkpoint),
    method: fields.get('BACKUP METHOD'),
    from: parseOrigin(fields.get('BACKUP FROM')),
    startTime: fields.get('START TIME'),
    label: fields.get('LABEL'),
    incrementalFrom:
      incrementalFrom === undefined
        ? undefined
        : {
            lsn: parsePosition('INCREMENTAL FROM LSN', incrementalFrom),
            timeline: parseTimeline(fields, 'INCREMENTAL FROM TLI', timeline),
          },
    stop: stop && { ...stop, timeline: parseTimeline(fields, 'STOP TIMELINE', timelineOf(stop.segment)) },
  };
}

type Fields = ReadonlyMap<string, string>;

function parseFields(text: string): Fields {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([A-Z ]+): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !fields.has(name)) fields.set(name, value);
  }
  return fields;
}

function parseLocation(fields: Fields, name: string): { lsn: Lsn; segment: string } | undefined {
  const text = fields.get(name);
  if (text === undefined) return undefined;
  const [, position, segment] = /^(\S+) \(file ([0-9A-F]{24})\)$/.exec(text) ?? [];
  if (position === undefined || segment === undefined) throw damaged(`${name} is ${JSON.stringify(text)}`);
  return { lsn: parsePosition(name, position), segment };
}

function parsePosition(name: string, text: string): Lsn {
  try {
    return parseLsn(text);
  } catch (error) {
    throw damaged(`${name} is ${JSON.stringify(text)}`, error);
  }
}

function parseTimeline(fields: Fields, name: string, whenAbsent: number): number {
  const text = fields.get(name);
  if (text === undefined) return whenAbsent;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw damaged(`${name} is ${JSON.stringify(text)}`);
  return Number(text);
}

/** PostgreSQL 13 and before say `master`. */
function parseOrigin(text: string | undefined): BackupLabel['from'] {
  if (text === undefined) return undefined;
  if (text === 'primary' || text === 'master') return 'primary';
  if (text === 'standby') return 'standby';
  throw damaged(`BACKUP FROM is ${JSON.stringify(text)}`);
}

function timelineOf(segment: string): number {
  return Number.parseInt(segment.slice(0, 8), 16);
}

function damaged(what: string, cause?: unknown): IntegrityError {
  return new IntegrityError(`backup label is damaged: ${what}`, { cause });
}

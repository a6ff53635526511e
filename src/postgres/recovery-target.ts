import { UsageError } from '../errors.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { parseTargetTime, type TargetTime } from './target-time.ts';

/** Where recovery stops. */
export type StopPoint =
  /** At the end of the archived WAL. */
  | { readonly kind: 'latest' }
  /** As soon as the cluster is consistent: at the end of the backup. */
  | { readonly kind: 'immediate' }
  | { readonly kind: 'time'; readonly time: TargetTime; readonly isInclusive: boolean }
  | { readonly kind: 'lsn'; readonly lsn: Lsn; readonly isInclusive: boolean }
  /** A transaction id in decimal, 32 bits or with the epoch in front. */
  | { readonly kind: 'xid'; readonly xid: string; readonly isInclusive: boolean }
  /** A restore point made by `pg_create_restore_point()`. */
  | { readonly kind: 'name'; readonly name: string };

/** What the server does when it has reached the stop point. */
export type TargetAction = 'pause' | 'promote' | 'shutdown';

/** A recovery target: where to stop, along which timeline, and what then. */
export interface RecoveryTarget {
  readonly stop: StopPoint;
  /** `latest` follows the newest timeline in the archive, `current` stays on the backup's. */
  readonly timeline: 'latest' | 'current' | number;
  readonly action: TargetAction;
}

/** A recovery target as texts from outside; undefined where nothing was given. */
export interface RecoveryTargetTexts {
  readonly time?: string | undefined;
  readonly lsn?: string | undefined;
  readonly xid?: string | undefined;
  readonly name?: string | undefined;
  readonly immediate?: boolean | undefined;
  /** Whether to stop just after the time, LSN or transaction, which is the default, or just before. */
  readonly inclusive?: boolean | undefined;
  readonly timeline?: string | undefined;
  readonly action?: string | undefined;
}

/** MAXFNAMELEN of PostgreSQL, less the closing zero. */
const longestNameBytes = 63;

/**
 * Checks a recovery target as PostgreSQL will: at most one stop point, each in its own form. Without one, recovery goes to the
 * end of the archived WAL. The defaults are PostgreSQL's: inclusive, the latest timeline, pause.
 *
 * @throws {@link UsageError} that names what does not fit
 * @see PostgreSQL manual, "Recovery Target"
 */
export function parseRecoveryTarget(texts: RecoveryTargetTexts): RecoveryTarget {
  const stop = parseStopPoint(texts);
  if (texts.action !== undefined && stop.kind === 'latest') {
    throw new UsageError('a target action needs a target to stop at', {
      hint: 'Without one, recovery goes to the end of the WAL and the server opens for writing.',
    });
  }
  return { stop, timeline: parseTargetTimeline(texts.timeline), action: parseTargetAction(texts.action) };
}

function parseStopPoint(texts: RecoveryTargetTexts): StopPoint {
  const { time, lsn, xid, name, immediate, inclusive } = texts;
  const given = Object.entries({ time, lsn, xid, name, immediate: immediate === true ? '' : undefined })
    .filter(([, value]) => value !== undefined)
    .map(([kind]) => kind);
  if (given.length > 1) {
    throw new UsageError(`more than one recovery target: ${given.join(', ')}`, {
      hint: 'PostgreSQL stops at one target only: leave out all but one.',
    });
  }
  const isInclusive = inclusive ?? true;
  if (time !== undefined) return { kind: 'time', time: parseTargetTime(time), isInclusive };
  if (lsn !== undefined) return { kind: 'lsn', lsn: parseLsn(lsn), isInclusive };
  if (xid !== undefined) return { kind: 'xid', xid: parseTargetXid(xid), isInclusive };
  if (inclusive !== undefined) {
    throw new UsageError(
      'stopping before or after the target is a choice only with a time, an LSN or a transaction id',
    );
  }
  if (name !== undefined) return { kind: 'name', name: parseTargetName(name) };
  return { kind: immediate === true ? 'immediate' : 'latest' };
}

/** Numbers below 3 are not those of transactions; PostgreSQL would read a leading zero as octal. */
function parseTargetXid(text: string): string {
  if (/^[1-9]\d{0,19}$/.test(text) && BigInt(text) >= 3n && BigInt(text) < 1n << 64n) return text;
  throw new UsageError(`not a transaction id: ${JSON.stringify(text)}`, {
    hint: 'Give the decimal number that pg_current_xact_id() or txid_current() returned.',
  });
}

function parseTargetName(text: string): string {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > 0 && sizeBytes <= longestNameBytes && !/[\0\r\n]/.test(text)) return text;
  throw new UsageError(`not the name of a restore point: ${JSON.stringify(text)}`, {
    hint: `pg_create_restore_point() takes names of one line and 1 to ${longestNameBytes} bytes.`,
  });
}

function parseTargetTimeline(text = 'latest'): RecoveryTarget['timeline'] {
  if (text === 'latest' || text === 'current') return text;
  const timeline = /^(?:[1-9]\d*|0x[0-9a-f]+)$/i.test(text) ? Number(text) : 0;
  if (timeline >= 1 && timeline <= 0xffff_ffff) return timeline;
  throw new UsageError(`not a timeline: ${JSON.stringify(text)}`, {
    hint: 'Give latest, current, or a number; the name of a history file is hexadecimal, so 0000000A.history is 10 or 0xA.',
  });
}

function parseTargetAction(text = 'pause'): TargetAction {
  if (text === 'pause' || text === 'promote' || text === 'shutdown') return text;
  throw new UsageError(`not a target action: ${JSON.stringify(text)}`, { hint: 'Give pause, promote or shutdown.' });
}

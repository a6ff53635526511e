import { type ErrorCode, isAbortError, SeawallError } from '../errors.ts';

/** One exit status with its meaning, as the README prints it. */
export interface ExitStatus {
  readonly status: number;
  readonly meaning: string;
}

type StatusName =
  | 'ok'
  | 'usage'
  | 'data'
  | 'unavailable'
  | 'internal'
  | 'cannotWrite'
  | 'absent'
  | 'busy'
  | 'denied'
  | 'config'
  | 'undecided';

/** Every status that `seawall` ends with. The numbers 64 to 78 are those of sysexits.h; 74 for "no such file" is WAL-G's. */
export const exitStatuses: Readonly<Record<StatusName, ExitStatus>> = {
  ok: { status: 0, meaning: 'done; for `wal-push`: durable in the repository' },
  usage: { status: 64, meaning: 'the command line is wrong' },
  data: { status: 65, meaning: 'data are damaged or not ours' },
  unavailable: { status: 69, meaning: 'the store or the server cannot be reached, after retries' },
  internal: { status: 70, meaning: 'a bug in Seawall, or a crash of the runtime in `wal-push`' },
  cannotWrite: { status: 73, meaning: 'cannot write here: disk full, read-only, directory not empty' },
  absent: { status: 74, meaning: 'the repository answered: there is no such file or backup' },
  busy: { status: 75, meaning: 'somebody else is at it, a deadline has passed, or the command was interrupted' },
  denied: { status: 77, meaning: 'credentials are missing, wrong or too weak' },
  config: { status: 78, meaning: 'the settings are wrong' },
  undecided: {
    status: 200,
    meaning: '`wal-fetch` only: no clear answer, for whatever reason; PostgreSQL stops recovery',
  },
};

const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  USAGE: exitStatuses.usage.status,
  CONFIG: exitStatuses.config.status,
  NOT_FOUND: exitStatuses.absent.status,
  ALREADY_EXISTS: exitStatuses.data.status,
  STORE: exitStatuses.unavailable.status,
  PERMISSION: exitStatuses.denied.status,
  INTEGRITY: exitStatuses.data.status,
  POSTGRES: exitStatuses.unavailable.status,
  BUSY: exitStatuses.busy.status,
  LOCAL_FILE: exitStatuses.cannotWrite.status,
};

/** The exit status for whatever a command threw; what is not ours is a bug. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof SeawallError) return statusOfCode[error.code];
  if (error instanceof AggregateError && error.errors.length > 0) return exitStatusOf(error.errors[0]);
  return isAbortError(error) ? exitStatuses.busy.status : exitStatuses.internal.status;
}

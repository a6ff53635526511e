import { NotFoundError, UsageError } from '../errors.ts';

/** What to do when the repository gave no clear answer: see {@link judgeFailedFetch}. */
export type UndecidedPolicy = 'auto' | 'abort' | 'absent';

/** The names of wal-fetch's exit statuses: `absent` is 74, `busy` 75, `undecided` 200. */
export type FetchVerdict = 'absent' | 'busy' | 'undecided';

/**
 * What a failed wal-fetch tells PostgreSQL, which knows only two answers: 1 to 125 is the end of the archive, at which recovery
 * ends for good, or a standby goes on by streaming; more stops the server, which can be started again and loses nothing.
 *
 * `absent` is said only with proof. Everything else is undecided, and then the policy decides: `abort` stops the server;
 * `absent` pretends the end of the archive (but says `busy`, so that the two can be told apart); `auto` does that on a standby,
 * which asks again in some seconds, and stops recovery elsewhere. A wrong command line always stops it.
 *
 * @see PostgreSQL manual, "Archive Recovery", restore_command
 */
export function judgeFailedFetch(
  error: unknown,
  { policy, isStandby }: { readonly policy: UndecidedPolicy; readonly isStandby: boolean },
): FetchVerdict {
  if (error instanceof NotFoundError) return 'absent';
  if (error instanceof UsageError || policy === 'abort') return 'undecided';
  return policy === 'absent' || isStandby ? 'busy' : 'undecided';
}

import type { Clock } from '../../context.ts';
import { StoreError } from '../../errors.ts';
import { createBackOff, type RetryPolicy } from '../../util/back-off.ts';

export interface RepeatOptions {
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  /** Whether the upload as a whole is lost, so that sending this part again is of no use. */
  readonly isLost: (error: StoreError) => boolean;
}

/**
 * Tries one step of a large upload again, so that a passing failure does not cost the whole of it. When the policy's deadline
 * has passed the error comes out as a permanent one: with it, the time for the whole is used up too, and `with-retries.ts` must
 * not start from the beginning. A lost upload stays retryable.
 */
export async function repeatPart<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal | undefined,
  { policy, clock, isLost }: RepeatOptions,
): Promise<T> {
  const mayRepeat = (error: unknown) => error instanceof StoreError && error.retryable && !isLost(error);
  const waits = createBackOff(policy, { clock, signal, isTransient: mayRepeat });
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await waits.afterFailure(error).catch((last: unknown) => {
        throw last instanceof StoreError && mayRepeat(last) ? permanent(last) : last;
      });
    }
  }
}

function permanent({ message, cause, hint }: StoreError): StoreError {
  return new StoreError(message, { cause, retryable: false, ...(hint === undefined ? {} : { hint }) });
}

import { SeawallError } from '../../src/errors.ts';

/** An error of ours in two words, for tables: `NOT_FOUND`, `STORE, may pass`, `STORE, permanent`. */
export function kindOf(failure: unknown): string {
  if (!(failure instanceof SeawallError)) return String(failure);
  return 'retryable' in failure ? `${failure.code}, ${failure.retryable ? 'may pass' : 'permanent'}` : failure.code;
}

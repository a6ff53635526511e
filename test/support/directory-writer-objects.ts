import { walLikeBytes } from './byte-streams.ts';

/** What `directory-writer.ts` prints of one put. */
export interface PutOutcome {
  /** `stored`, or the class of the error. */
  readonly outcome: string;
  readonly message?: string;
  readonly hint?: string | undefined;
  readonly cause?: string;
  /** Everything below the root afterwards. */
  readonly names: readonly string[];
}

/** One of a hundred objects of different sizes; the key tells which bytes it must have. */
export function numberedObject(number: number): { readonly key: string; readonly bytes: Buffer } {
  const index = number % 100;
  return { key: `wal_005/${index}`, bytes: walLikeBytes(1000 + ((index * 40_013) % 500_000), index + 1) };
}

import { StoreError, UsageError } from '../errors.ts';
import type { ByteRange } from './object-store.ts';

/**
 * Refuses a range that no object can have.
 *
 * @throws {@link UsageError} when a bound is no whole number from 0 on, or `end` does not lie behind `start`
 */
export function checkRange(range: ByteRange): void {
  const { start, end } = range;
  const isValid =
    Number.isSafeInteger(start) && start >= 0 && (end === undefined || (Number.isSafeInteger(end) && end > start));
  if (!isValid) throw new UsageError(`not a range of bytes: from ${start} to ${end ?? 'the end'}`);
}

/** A range with both its bounds. */
export interface ExactRange extends ByteRange {
  readonly end: number;
}

/**
 * The bytes that are meant in an object of this size, where `end` is the size at most; all of them without a range.
 *
 * @param object - how messages name the object
 * @throws {@link StoreError} when the range begins at or behind the end of the object
 */
export function resolveRange(range: ByteRange | undefined, sizeBytes: number, object: string): ExactRange {
  if (range === undefined) return { start: 0, end: sizeBytes };
  if (range.start >= sizeBytes) {
    throw new StoreError(`cannot read ${object} from byte ${range.start}: it has ${sizeBytes} bytes`, {
      retryable: false,
    });
  }
  return { start: range.start, end: Math.min(range.end ?? sizeBytes, sizeBytes) };
}

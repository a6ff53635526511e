import { StoreError } from '../../errors.ts';
import { resolveRange } from '../byte-range.ts';
import type { ByteRange } from '../object-store.ts';

/** Two headers of the answer to a GET. */
export interface AnswerHeaders {
  readonly contentLength: number | undefined;
  /** `bytes 0-9/100` */
  readonly contentRange: string | undefined;
}

export interface AnswerSize {
  /** Size of the whole object. */
  readonly sizeBytes: number;
  /** How many bytes this answer brings. */
  readonly bodyBytes: number;
}

/**
 * Reads off how large an object is, and makes sure that the answer brings just the bytes that were asked for: a service that does
 * not know ranges sends the whole object instead.
 *
 * @param object - for messages: `wal_005/… from s3://bucket`
 * @throws {@link StoreError} when it does not, or when the range begins behind the object
 */
export function answerSize(
  { contentLength, contentRange }: AnswerHeaders,
  range: ByteRange | undefined,
  object: string,
): AnswerSize {
  const isWhole = range === undefined || (range.start === 0 && range.end === undefined);
  const total = /\/(\d+)$/.exec(contentRange ?? '')?.[1];
  const sizeBytes = total === undefined && isWhole ? contentLength : Number(total ?? Number.NaN);
  if (contentLength === undefined || sizeBytes === undefined || Number.isNaN(sizeBytes)) {
    throw new StoreError(`cannot read ${object}: the answer does not say how long it is`, { retryable: true });
  }
  const { start, end } = resolveRange(range, sizeBytes, object);
  if (contentLength === end - start) return { sizeBytes, bodyBytes: contentLength };
  throw new StoreError(`cannot read ${object}: asked for ${end - start} bytes, the answer brings ${contentLength}`, {
    retryable: true,
  });
}

import { crc32c } from '@node-rs/crc32';
import type { gaxios } from 'google-auth-library';
import type { Clock } from '../../context.ts';
import { StoreError } from '../../errors.ts';
import type { RetryPolicy } from '../../util/back-off.ts';
import type { Part } from '../parts.ts';
import { orMissingBucket } from './gcs-absence.ts';
import type { GcsBucket } from './gcs-bucket.ts';
import { gcsStatus } from './gcs-failure.ts';
import { formatCrc32c, type GcsObject, requireStored } from './gcs-object.ts';
import { repeatPart } from './repeat-part.ts';

export interface ResumableOptions {
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
  /** How long one part is tried again. */
  readonly retry: RetryPolicy;
  readonly clock: Clock;
}

/** An upload under way, which the service knows by a URL of its own. */
interface Session {
  readonly bucket: GcsBucket;
  /** For messages: `store wal_005/… in gs://bucket`. */
  readonly action: string;
  readonly url: string;
  readonly signal: AbortSignal | undefined;
  /** How many bytes the service has. */
  persistedBytes: number;
  /** A request failed, so that only the service knows how many it has. */
  isUnclear: boolean;
}

interface Chunk {
  /** Where it begins in the object. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** CRC32C of the whole object up to the end of this chunk. */
  readonly checksum: number;
  readonly isLast: boolean;
}

/**
 * Stores an object part by part in a resumable upload. Nobody sees any of it before the last part, which also brings the CRC32C that
 * the service compares with what it has got.
 *
 * After any failure the upload is cancelled. A process that is killed cannot do that; such uploads are never seen and end after a week.
 *
 * @see Google Cloud Storage documentation, "Resumable uploads"
 */
export async function putResumably(
  bucket: GcsBucket,
  key: string,
  parts: AsyncIterable<Part>,
  { ifAbsent, signal, retry, clock }: ResumableOptions,
): Promise<void> {
  const session = await beginUpload(bucket, key, ifAbsent, signal);
  const repeat = { policy: retry, clock, isLost };
  try {
    for await (const chunk of readAhead(parts)) {
      await repeatPart(() => sendChunk(session, chunk), signal, repeat);
    }
  } catch (error) {
    await cancelUpload(session);
    throw error;
  }
}

/** The service has lost or closed the upload, so that only a new one can help. */
function isLost(error: StoreError): boolean {
  return gcsStatus(error) === 404 || gcsStatus(error) === 410;
}

/**
 * Marks the last part. While one part is sent, the next is held and the one behind it is filled: three are in memory.
 */
async function* readAhead(parts: AsyncIterable<Part>): AsyncGenerator<Chunk> {
  const iterator = parts[Symbol.asyncIterator]();
  let start = 0;
  let checksum = 0;
  try {
    let current = await iterator.next();
    let upcoming = iterator.next();
    while (current.done !== true) {
      const next = await upcoming;
      upcoming = iterator.next();
      upcoming.catch(() => undefined);
      using part = current.value;
      checksum = crc32c(part.bytes, checksum);
      yield { start, bytes: part.bytes, checksum, isLast: next.done === true };
      start += part.bytes.length;
      current = next;
    }
  } finally {
    await iterator.return?.();
  }
}

async function beginUpload(
  bucket: GcsBucket,
  key: string,
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<Session> {
  const action = `store ${key} in ${bucket.location}`;
  const call = bucket.call(action, {
    method: 'POST',
    url: bucket.uploadUrl,
    params: { uploadType: 'resumable', name: key, ...(ifAbsent ? { ifGenerationMatch: '0' } : {}) },
    data: {},
    signal,
  });
  const { headers } = await orMissingBucket(call);
  const url = headers.get('location');
  if (url === null) throw new StoreError(`cannot ${action}: the answer has no upload URL`, { retryable: true });
  return { bucket, action, url, signal, persistedBytes: 0, isUnclear: false };
}

/** Sends what the service does not have of a chunk; it may keep less than it is sent, and says so. */
async function sendChunk(session: Session, chunk: Chunk): Promise<void> {
  const { action } = session;
  const end = chunk.start + chunk.bytes.length;
  if (session.isUnclear) {
    const answer = await sendRange(session, 'bytes */*', undefined);
    if (answer.status !== 308) return await requireStored(session.bucket, action, answer.data, end, chunk.checksum);
    session.persistedBytes = persistedBytesOf(answer);
    session.isUnclear = false;
  }
  while (chunk.isLast || session.persistedBytes < end) {
    const { persistedBytes } = session;
    if (persistedBytes < chunk.start || persistedBytes > end) {
      throw new StoreError(`cannot ${action}: the service has ${persistedBytes} bytes where ${chunk.start} were sent`, {
        retryable: true,
      });
    }
    session.isUnclear = true;
    const answer = await sendRange(session, rangeHeader(persistedBytes, end, chunk.isLast), chunk);
    session.isUnclear = false;
    if (answer.status !== 308) return await requireStored(session.bucket, action, answer.data, end, chunk.checksum);
    session.persistedBytes = persistedBytesOf(answer);
    if (session.persistedBytes === persistedBytes) {
      throw new StoreError(`cannot ${action}: the service took nothing from byte ${persistedBytes} on`, {
        retryable: true,
      });
    }
  }
}

/** `bytes 0-1023/*` for bytes in the middle, `bytes 1024-2000/2001` for the last ones, without a range where none are left. */
function rangeHeader(start: number, end: number, isLast: boolean): string {
  return `bytes ${start === end ? '*' : `${start}-${end - 1}`}/${isLast ? end : '*'}`;
}

/** Sends a range of the object, or asks how far the service is when there is no chunk. */
async function sendRange(
  { bucket, action, url, signal, persistedBytes }: Session,
  range: string,
  chunk: Chunk | undefined,
): Promise<gaxios.GaxiosResponse<GcsObject>> {
  const bytes = chunk?.bytes.subarray(persistedBytes - chunk.start) ?? new Uint8Array();
  const hash = chunk?.isLast === true ? { 'x-goog-hash': `crc32c=${formatCrc32c(chunk.checksum)}` } : {};
  const call = bucket.call<GcsObject>(action, {
    method: 'PUT',
    url,
    headers: { 'content-range': range, ...hash },
    data: bytes,
    bodyBytes: bytes.length,
    responseType: 'json',
    validateStatus: (status) => status === 308 || (status >= 200 && status < 300),
    signal,
  });
  return await call.catch((error: unknown) => {
    throw error instanceof StoreError && isLost(error)
      ? new StoreError(error.message, { cause: error.cause, retryable: true })
      : error;
  });
}

/** From `range: bytes=0-1023`; a service that has nothing yet leaves it out. */
function persistedBytesOf({ headers }: gaxios.GaxiosResponse): number {
  const last = /-(\d+)$/.exec(headers.get('range') ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}

/** How long a failed put is held up by its clean-up. */
const cancelTimeoutMs = 5_000;

/** The put has failed already and its error matters more; an upload that is not cancelled is invisible and ends by itself. */
async function cancelUpload({ bucket, action, url }: Session): Promise<void> {
  const signal = AbortSignal.timeout(cancelTimeoutMs);
  await bucket.call(action, { method: 'DELETE', url, signal, validateStatus: () => true }).catch(() => undefined);
}

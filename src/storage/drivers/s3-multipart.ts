import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Context } from '../../context.ts';
import { describeError, StoreError } from '../../errors.ts';
import type { RetryPolicy } from '../../util/back-off.ts';
import { type Part, uploadParts } from '../parts.ts';
import { repeatPart } from './repeat-part.ts';
import { callS3, requireETag, type S3Bucket } from './s3-bucket.ts';
import { s3Code } from './s3-failure.ts';

export interface MultipartOptions {
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
  /** Parts in memory at the same time. */
  readonly concurrency: number;
  /** How long one part is tried again. */
  readonly retry: RetryPolicy;
}

interface Upload {
  readonly bucket: S3Bucket;
  readonly key: string;
  readonly id: string;
}

/**
 * Stores an object in parts. Nobody sees any of it before the last request, which S3 carries out wholly or not at all.
 *
 * Whatever fails, the upload is aborted on the service, since its parts cost money until then. A process that is killed cannot do
 * that: a lifecycle rule of the bucket (AbortIncompleteMultipartUpload) is the net below.
 */
export async function putInParts(
  bucket: S3Bucket,
  key: string,
  parts: AsyncIterable<Part>,
  options: MultipartOptions,
  context: Context,
): Promise<void> {
  const { signal, concurrency, ifAbsent } = options;
  const repeat = { policy: options.retry, clock: context.clock, isLost };
  const upload = await createUpload(bucket, key, signal);
  try {
    signal?.throwIfAborted();
    const sent = await uploadParts(
      parts,
      (bytes, number, { stop, leave }) => repeatPart(() => sendPart(upload, number, bytes, leave), stop, repeat),
      { concurrency, signal, graceMs },
    );
    await repeatPart(() => completeUpload(upload, sent, ifAbsent, signal), signal, repeat);
  } catch (error) {
    await abortUpload(upload, context);
    throw error;
  }
}

/** The service has lost or closed the upload, so that only a new one can help. */
function isLost(error: StoreError): boolean {
  return ['NoSuchUpload', 'InvalidPart', 'ConditionalRequestConflict'].includes(s3Code(error.cause));
}

/** An abort cuts this request off only after the grace: an upload whose id never arrived could not be removed. */
async function createUpload(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<Upload> {
  const action = `store ${key} in ${bucket.location}`;
  const sendsCrc32 = (await bucket.client.config.requestChecksumCalculation()) === 'WHEN_SUPPORTED';
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket.name,
    Key: key,
    ...bucket.objectSettings,
    ...(sendsCrc32 ? { ChecksumAlgorithm: 'CRC32' } : {}),
  });
  using late = afterGrace(signal);
  const { UploadId: id } = await callS3(bucket, action, late.signal, (options) => bucket.client.send(command, options));
  if (id === undefined) throw new StoreError(`cannot ${action}: the answer has no upload id`, { retryable: true });
  return { bucket, key, id };
}

/** A signal that follows the other one after the grace, until it is disposed of. */
function afterGrace(signal: AbortSignal | undefined): { readonly signal: AbortSignal } & Disposable {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => late.abort(signal?.reason), graceMs);
  };
  signal?.addEventListener('abort', onAbort);
  return {
    signal: late.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function sendPart(
  { bucket, key, id }: Upload,
  number: number,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<CompletedPart> {
  const action = `store part ${number} of ${key} in ${bucket.location}`;
  const command = new UploadPartCommand({
    Bucket: bucket.name,
    Key: key,
    UploadId: id,
    PartNumber: number,
    Body: bytes,
  });
  const answer = await callS3(bucket, action, signal, (options) => bucket.client.send(command, options));
  const crc32 = answer.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: answer.ChecksumCRC32 };
  return { PartNumber: number, ETag: requireETag(action, answer), ...crc32 };
}

/** The SDK reads the body of this answer: S3 may say 200, go on working, and then put an error there. */
async function completeUpload(
  { bucket, key, id }: Upload,
  sent: CompletedPart[],
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const action = `store ${key} in ${bucket.location}`;
  const command = new CompleteMultipartUploadCommand({
    Bucket: bucket.name,
    Key: key,
    UploadId: id,
    MultipartUpload: { Parts: sent },
    ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
  });
  const answer = await callS3(bucket, action, signal, (options) => bucket.client.send(command, options));
  const storedParts = /-(\d+)"?$/.exec(requireETag(action, answer))?.[1];
  if (storedParts === undefined || Number(storedParts) === sent.length) return;
  throw new StoreError(`cannot ${action}: sent ${sent.length} parts, stored ${storedParts}`, { retryable: true });
}

/**
 * How long parts under way may arrive after a failure. S3 may keep a part whose connection was cut, and when it finishes that
 * behind the abort, the upload is there again.
 *
 * @see Amazon S3 API Reference, AbortMultipartUpload: "it might be necessary to abort a given multipart upload multiple times"
 */
const graceMs = 5_000;

/** How long a failed put is then held up by its clean-up. */
const cleanUp: RetryPolicy = { initialDelayMs: 100, maximumDelayMs: 2_000, deadlineMs: 10_000 };

/** The put has failed already and its error matters more, so a clean-up that fails too is only told. */
async function abortUpload({ bucket, key, id }: Upload, context: Context): Promise<void> {
  const action = `abort the upload of ${key} to ${bucket.location}`;
  const command = new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: id });
  const signal = AbortSignal.timeout(cleanUp.deadlineMs);
  const abort = () => callS3(bucket, action, signal, (options) => bucket.client.send(command, options));
  try {
    await repeatPart(abort, signal, { policy: cleanUp, clock: context.clock, isLost });
  } catch (error) {
    if (error instanceof StoreError && s3Code(error.cause) === 'NoSuchUpload') return;
    const fields = { store: bucket.location, key, uploadId: id, cause: describeError(error) };
    context.log.warn(fields, 'parts of a failed upload were left behind');
  }
}

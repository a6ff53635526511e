import type { PutObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { StoreError } from '../../errors.ts';
import { isExpiry, s3Failure } from './s3-failure.ts';
import { withTimeout } from './with-timeout.ts';

/** One bucket as the requests of the driver see it. */
export interface S3Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** `s3://bucket`, for messages. */
  readonly location: string;
  /** How long a silent connection is waited for. */
  readonly idleTimeoutMs: number;
  /** What every new object gets. */
  readonly objectSettings: Pick<PutObjectCommandInput, 'StorageClass' | 'ServerSideEncryption' | 'SSEKMSKeyId'>;
}

/** What a call hands to the SDK beside the command. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/**
 * Sends one request. Failures come out as errors of ours; an abort as the signal's reason.
 *
 * When the service says that the credentials have expired, the SDK is made to fetch new ones (a rotated token on disk, a role
 * assumed again). Only where that gives other ones is the request worth repeating.
 *
 * @param action - for messages: `store wal_005/… in s3://bucket`
 */
export async function callS3<T>(
  bucket: S3Bucket,
  action: string,
  signal: AbortSignal | undefined,
  send: (options: SendOptions) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const { idleTimeoutMs } = bucket;
  const { credentials } = bucket.client.config;
  let used: Credentials | undefined;
  try {
    used = await withTimeout(idleTimeoutMs, signal, () => credentials());
    return await send(signal === undefined ? {} : { abortSignal: signal });
  } catch (error) {
    signal?.throwIfAborted();
    const failure = s3Failure(error, action);
    if (!isExpiry(error) || used === undefined || !(await hasOtherCredentials(bucket.client, used))) throw failure;
    throw new StoreError(`${failure.message}: the credentials had expired and were fetched anew`, {
      cause: error,
      retryable: true,
    });
  }
}

type Credentials = Awaited<ReturnType<S3Client['config']['credentials']>>;

/** Fetches the credentials anew. That this fails counts as no: the refusal that led here says more than a second error. */
async function hasOtherCredentials(client: S3Client, used: Credentials): Promise<boolean> {
  const fresh = await client.config.credentials({ forceRefresh: true }).catch(() => undefined);
  return fresh !== undefined && (fresh.accessKeyId !== used.accessKeyId || fresh.sessionToken !== used.sessionToken);
}

/**
 * A stored object has an ETag in every S3 service. An answer 200 without one comes from something else, such as the page of a
 * proxy, and acknowledges nothing.
 */
export function requireETag(action: string, answer: { readonly ETag?: string | undefined }): string {
  if (answer.ETag !== undefined && answer.ETag !== '') return answer.ETag;
  throw new StoreError(`cannot ${action}: the answer has no ETag, so it is not that of an S3 service`, {
    retryable: true,
    hint: 'Check the endpoint, and whether a proxy stands between.',
  });
}

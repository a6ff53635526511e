import type { gaxios } from 'google-auth-library';
import { ConfigError, NotFoundError } from '../../errors.ts';
import type { GcsBucket, GcsRequest } from './gcs-bucket.ts';
import { isBareAbsence, missingBucketHint } from './gcs-failure.ts';
import type { ObjectPage } from './gcs-object.ts';

/**
 * Sends a request for one object. When its 404 does not say what is missing, a listing settles it, which everybody may do who gets a
 * 404 at all: without that right, Google says 403 for a missing object too.
 *
 * @throws {@link NotFoundError} when the bucket is there and the object is not, {@link ConfigError} when the bucket is not, and
 *   the 404 itself as a {@link StoreError} when both are: then it came from somebody on the way
 */
export async function callObject<T>(
  bucket: GcsBucket,
  key: string,
  action: string,
  request: GcsRequest,
): Promise<gaxios.GaxiosResponse<T>> {
  try {
    return await bucket.call<T>(action, { ...request, url: `${bucket.objectsUrl}/${encodeURIComponent(key)}` });
  } catch (error) {
    if (!isBareAbsence(error) || (await isListed(bucket, key, action, request.signal))) throw error;
    throw absent(error);
  }
}

/** Among the objects that begin with the key, the key itself is the first. */
async function isListed(
  bucket: GcsBucket,
  key: string,
  action: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const params = { prefix: key, maxResults: 1, fields: 'items(name)' };
  const { data } = await orMissingBucket(bucket.call<ObjectPage>(action, { url: bucket.objectsUrl, params, signal }));
  return data.items?.[0]?.name === key;
}

/** The answer to a request for the bucket itself, where a 404 can mean nothing else. */
export async function orMissingBucket<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isBareAbsence(error)) throw error;
    throw missingBucket(error);
  }
}

function absent({ message, cause }: Error): NotFoundError {
  return new NotFoundError(message, { cause });
}

function missingBucket({ message, cause }: Error): ConfigError {
  return new ConfigError(message, { cause, hint: missingBucketHint });
}

import { Readable } from 'node:stream';
import { crc32c } from '@node-rs/crc32';
import pMap from 'p-map';
import type { Context } from '../../context.ts';
import { NotFoundError } from '../../errors.ts';
import type { RetryPolicy } from '../../util/back-off.ts';
import type { Environment } from '../environment.ts';
import { checkKey, checkPrefix } from '../key.ts';
import type { Body, ListOptions, ObjectInfo, ObjectStore, PutOptions } from '../object-store.ts';
import { cutBody } from '../parts.ts';
import { callObject, orMissingBucket } from './gcs-absence.ts';
import { type GcsBucket, type GcsSettings, openGcsBucket } from './gcs-bucket.ts';
import { getObject } from './gcs-download.ts';
import { formatCrc32c, type GcsObject, infoOf, type ObjectPage, objectFields, requireStored } from './gcs-object.ts';
import { putResumably } from './gcs-resumable.ts';
import { inOrder } from './in-order.ts';
import { cutSizes, defaultIdleTimeoutMs, deleteConcurrency, type TransferLimits } from './limits.ts';

export interface GcsStoreOptions extends GcsSettings, TransferLimits {
  readonly bucket: string;
  readonly environment: Environment;
  /** How long one part of a large upload is tried again. */
  readonly retry: RetryPolicy;
}

/**
 * A bucket of Google Cloud Storage as a store. Create-if-absent is `ifGenerationMatch=0`. What is sent is checked by the service, and
 * what is read as a whole is checked here, by CRC32C.
 */
export function createGcsStore(options: GcsStoreOptions, context: Context): ObjectStore {
  const bucket = openGcsBucket(
    options.bucket,
    options,
    options.environment,
    options.idleTimeoutMs ?? defaultIdleTimeoutMs,
  );
  return {
    location: bucket.location,
    put: (key, body, call) => put(bucket, key, body, call, options, context),
    get: (key, call) => getObject(bucket, key, call),
    head: (key, call) => head(bucket, key, call?.signal),
    list: (prefix, call) => list(bucket, prefix, call),
    delete: (keys, call) => remove(bucket, keys, call?.signal),
    [Symbol.asyncDispose]: async () => bucket.close(),
  };
}

async function put(
  bucket: GcsBucket,
  key: string,
  body: Body,
  { ifAbsent = false, signal }: PutOptions = {},
  options: GcsStoreOptions,
  { clock }: Context,
): Promise<void> {
  checkKey(key);
  signal?.throwIfAborted();
  await using cut = await cutBody(body, cutSizes(options), signal);
  if (cut.whole === undefined) {
    await putResumably(bucket, key, cut.parts, { ifAbsent, signal, retry: options.retry, clock });
    return;
  }
  await putWhole(bucket, key, cut.whole, ifAbsent, signal);
  cut.sent();
}

async function putWhole(
  bucket: GcsBucket,
  key: string,
  bytes: Uint8Array,
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const action = `store ${key} in ${bucket.location}`;
  const checksum = crc32c(bytes);
  const metadata = JSON.stringify({ name: key, crc32c: formatCrc32c(checksum) });
  const call = bucket.call<GcsObject>(action, {
    method: 'POST',
    url: bucket.uploadUrl,
    params: { uploadType: 'multipart', ...(ifAbsent ? { ifGenerationMatch: '0' } : {}) },
    multipart: [
      { headers: new Headers({ 'content-type': 'application/json' }), content: metadata },
      { headers: new Headers({ 'content-type': 'application/octet-stream' }), content: Readable.from([bytes]) },
    ],
    bodyBytes: bytes.length,
    signal,
  });
  const { data } = await orMissingBucket(call);
  await requireStored(bucket, action, data, bytes.length, checksum);
}

async function head(bucket: GcsBucket, key: string, signal: AbortSignal | undefined): Promise<ObjectInfo> {
  checkKey(key);
  const action = `look up ${key} in ${bucket.location}`;
  const { data } = await callObject<GcsObject>(bucket, key, action, { params: { fields: objectFields }, signal });
  return infoOf(data, action);
}

async function* list(bucket: GcsBucket, prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  yield* inOrder(listPages(bucket, prefix, options), options, `${bucket.location}/${prefix}`);
}

/** `startOffset` includes its key; {@link inOrder} leaves it out. */
async function* listPages(
  bucket: GcsBucket,
  prefix: string,
  { startAfter, signal }: ListOptions,
): AsyncGenerator<ObjectInfo> {
  const action = `list ${bucket.location}/${prefix}`;
  const query = {
    prefix,
    fields: `nextPageToken,items(${objectFields})`,
    ...(startAfter ? { startOffset: startAfter } : {}),
  };
  let page: ObjectPage = {};
  do {
    const params = page.nextPageToken === undefined ? query : { ...query, pageToken: page.nextPageToken };
    const call = bucket.call<ObjectPage>(action, { url: bucket.objectsUrl, params, signal });
    page = (await orMissingBucket(call)).data;
    for (const object of page.items ?? []) yield infoOf(object, action);
  } while (page.nextPageToken);
}

async function remove(bucket: GcsBucket, keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  keys.forEach(checkKey);
  const removeOne = async (key: string) => {
    const call = callObject(bucket, key, `delete ${key} from ${bucket.location}`, { method: 'DELETE', signal });
    await call.catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
  };
  await pMap(keys, removeOne, { concurrency: deleteConcurrency });
}

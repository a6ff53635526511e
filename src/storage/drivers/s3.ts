import type { Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type _Object as S3Object,
  type ServerSideEncryption,
  type StorageClass,
} from '@aws-sdk/client-s3';
import type { Context } from '../../context.ts';
import { StoreError } from '../../errors.ts';
import type { RetryPolicy } from '../../util/back-off.ts';
import { checkRange } from '../byte-range.ts';
import type { Environment } from '../environment.ts';
import { checkKey, checkPrefix } from '../key.ts';
import type {
  Body,
  GetOptions,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  StoredObject,
} from '../object-store.ts';
import { cutBody } from '../parts.ts';
import { answerSize } from './answer-size.ts';
import { inOrder } from './in-order.ts';
import { cutSizes, defaultIdleTimeoutMs, defaultUploadConcurrency, type TransferLimits } from './limits.ts';
import { receiveBody } from './receive-body.ts';
import { callS3, requireETag, type S3Bucket } from './s3-bucket.ts';
import { createS3Client, type S3Settings } from './s3-client.ts';
import { deletionFailure, isRefusal } from './s3-failure.ts';
import { putInParts } from './s3-multipart.ts';

export interface S3StoreOptions extends S3Settings, TransferLimits {
  readonly bucket: string;
  readonly environment: Environment;
  /** How long one part of a large upload is tried again. */
  readonly retry: RetryPolicy;
}

/**
 * A bucket of S3, or of a service that speaks its protocol, as a store.
 *
 * Create-if-absent is `If-None-Match: *`, on single and on multipart uploads. A service that ignores this header overwrites in
 * silence, so it is no place for WAL.
 */
export function createS3Store(options: S3StoreOptions, context: Context): ObjectStore {
  const idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  const bucket: S3Bucket = {
    client: createS3Client(options, options.environment, idleTimeoutMs, context.log),
    name: options.bucket,
    location: `s3://${options.bucket}`,
    idleTimeoutMs,
    objectSettings: {
      ...(options.storageClass === undefined ? {} : { StorageClass: options.storageClass as StorageClass }),
      ...(options.sse === undefined ? {} : { ServerSideEncryption: options.sse as ServerSideEncryption }),
      ...(options.sseKmsKeyId === undefined ? {} : { SSEKMSKeyId: options.sseKmsKeyId }),
    },
  };
  return {
    location: bucket.location,
    put: (key, body, call) => put(bucket, key, body, call, options, context),
    get: (key, call) => get(bucket, key, call),
    head: (key, call) => head(bucket, key, call?.signal),
    list: (prefix, call) => list(bucket, prefix, call),
    delete: (keys, call) => remove(bucket, keys, call?.signal),
    [Symbol.asyncDispose]: async () => bucket.client.destroy(),
  };
}

async function put(
  bucket: S3Bucket,
  key: string,
  body: Body,
  { ifAbsent = false, signal }: PutOptions = {},
  options: S3StoreOptions,
  context: Context,
): Promise<void> {
  checkKey(key);
  signal?.throwIfAborted();
  await using cut = await cutBody(body, cutSizes(options), signal);
  if (cut.whole === undefined) {
    const concurrency = options.uploadConcurrency ?? defaultUploadConcurrency;
    await putInParts(bucket, key, cut.parts, { ifAbsent, signal, concurrency, retry: options.retry }, context);
    return;
  }
  const action = `store ${key} in ${bucket.location}`;
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: cut.whole,
    ...bucket.objectSettings,
    ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
  });
  requireETag(action, await callS3(bucket, action, signal, (send) => bucket.client.send(command, send)));
  cut.sent();
}

async function get(bucket: S3Bucket, key: string, { range, signal }: GetOptions = {}): Promise<StoredObject> {
  checkKey(key);
  if (range !== undefined) checkRange(range);
  const action = `read ${key} from ${bucket.location}`;
  const command = new GetObjectCommand({
    Bucket: bucket.name,
    Key: key,
    ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` }),
  });
  const answer = await callS3(bucket, action, signal, (send) => bucket.client.send(command, send));
  const source = answer.Body as Readable;
  try {
    const { ContentLength: contentLength, ContentRange: contentRange, LastModified } = answer;
    const { sizeBytes, bodyBytes } = answerSize(
      { contentLength, contentRange },
      range,
      `${key} from ${bucket.location}`,
    );
    const { idleTimeoutMs } = bucket;
    const body = receiveBody(source, { sizeBytes: bodyBytes, idleTimeoutMs, signal, action });
    return { ...infoOf(key, { Size: sizeBytes, LastModified }, action), body };
  } catch (error) {
    source.destroy();
    throw error;
  }
}

async function head(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<ObjectInfo> {
  checkKey(key);
  const action = `look up ${key} in ${bucket.location}`;
  const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key });
  try {
    const answer = await callS3(bucket, action, signal, (send) => bucket.client.send(command, send));
    return infoOf(key, { Size: answer.ContentLength, LastModified: answer.LastModified }, action);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // The answer to HEAD has no body and so no code: absent, no such bucket and denied look alike. GET tells them apart.
    const { body, ...info } = await get(bucket, key, { signal });
    await body[Symbol.asyncIterator]().return?.();
    return info;
  }
}

async function* list(bucket: S3Bucket, prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  const { startAfter, signal } = options;
  const action = `list ${bucket.location}/${prefix}`;
  const send = signal === undefined ? [] : [{ abortSignal: signal }];
  const query = {
    Bucket: bucket.name,
    Prefix: prefix,
    ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
  };
  const pages = paginateListObjectsV2({ client: bucket.client }, query, ...send);
  async function* objects(): AsyncGenerator<ObjectInfo> {
    for (;;) {
      const { done, value: page } = await callS3(bucket, action, signal, () => pages.next());
      if (done === true) return;
      for (const object of page.Contents ?? []) yield infoOf(object.Key ?? '', object, action);
    }
  }
  yield* inOrder(objects(), options, `${bucket.location}/${prefix}`);
}

/** S3 takes at most a thousand keys in one request. */
const deleteBatchKeys = 1000;

async function remove(bucket: S3Bucket, keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  keys.forEach(checkKey);
  for (let start = 0; start < keys.length; start += deleteBatchKeys) {
    const batch = keys.slice(start, start + deleteBatchKeys);
    const action = `delete ${batch[0]}${batch.length > 1 ? ` and ${batch.length - 1} more` : ''} from ${bucket.location}`;
    const command = new DeleteObjectsCommand({
      Bucket: bucket.name,
      Delete: { Objects: batch.map((key) => ({ Key: key })), Quiet: true },
    });
    const { Errors: refused = [] } = await callS3(bucket, action, signal, (send) => bucket.client.send(command, send));
    const failure = deletionFailure(refused, bucket.location);
    if (failure !== undefined) throw failure;
  }
}

function infoOf(key: string, { Size, LastModified }: S3Object, action: string): ObjectInfo {
  if (Size !== undefined && LastModified !== undefined) return { key, sizeBytes: Size, modifiedAt: LastModified };
  throw new StoreError(`cannot ${action}: the answer does not say how large or how old the object is`, {
    retryable: true,
  });
}

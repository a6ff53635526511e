import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import pMap from 'p-map';
import type { Context } from '../../context.ts';
import { AlreadyExistsError, NotFoundError, StoreError } from '../../errors.ts';
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
import { isLost, putInBlocks } from './azure-blocks.ts';
import { type AzureSettings, createContainerClient } from './azure-client.ts';
import { type AzureContainer, callAzure } from './azure-container.ts';
import { inOrder } from './in-order.ts';
import {
  cutSizes,
  defaultIdleTimeoutMs,
  defaultUploadConcurrency,
  deleteConcurrency,
  type TransferLimits,
} from './limits.ts';
import { receiveBody } from './receive-body.ts';

export interface AzureBlobStoreOptions extends AzureSettings, TransferLimits {
  readonly container: string;
  readonly environment: Environment;
  /** How long one block of a large upload is tried again. */
  readonly retry: RetryPolicy;
}

/**
 * A container of Azure Blob Storage as a store; every object is a block blob. Create-if-absent is `If-None-Match: *`, on single puts
 * and on the commit of blocks.
 *
 * An account with a hierarchical namespace lists in an order of its own; see `in-order.ts`.
 *
 * @throws {@link ConfigError} when no account is named or the connection string cannot be read
 */
export function createAzureBlobStore(options: AzureBlobStoreOptions, context: Context): ObjectStore {
  const container: AzureContainer = {
    client: createContainerClient(options.container, options, options.environment),
    location: `azure://${options.container}`,
    idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
  };
  return {
    location: container.location,
    put: (key, body, call) => put(container, key, body, call, options, context),
    get: (key, call) => get(container, key, call),
    head: (key, call) => head(container, key, call?.signal),
    list: (prefix, call) => list(container, prefix, call),
    delete: (keys, call) => remove(container, keys, call?.signal),
    // The SDK keeps its sockets to itself; idle ones do not hold the process.
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function put(
  container: AzureContainer,
  key: string,
  body: Body,
  { ifAbsent = false, signal }: PutOptions = {},
  options: AzureBlobStoreOptions,
  { clock }: Context,
): Promise<void> {
  checkKey(key);
  signal?.throwIfAborted();
  await using cut = await cutBody(body, cutSizes(options), signal);
  if (cut.whole === undefined) {
    const concurrency = options.uploadConcurrency ?? defaultUploadConcurrency;
    const blocks = putInBlocks(container, key, cut.parts, {
      ifAbsent,
      signal,
      concurrency,
      retry: options.retry,
      clock,
    });
    await blocks.catch(async (error: unknown) => {
      throw ifAbsent && error instanceof StoreError && isLost(error)
        ? await reasonOfLoss(container, key, error, signal)
        : error;
    });
    return;
  }
  const bytes = cut.whole;
  const transactionalContentMD5 = createHash('md5').update(bytes).digest();
  const conditions = ifAbsent ? { ifNoneMatch: '*' } : {};
  await callAzure(
    container,
    `store ${key} in ${container.location}`,
    { signal, bodyBytes: bytes.length },
    (abortSignal) =>
      container.client
        .getBlockBlobClient(key)
        .upload(bytes, bytes.length, { abortSignal, conditions, transactionalContentMD5 }),
  );
  cut.sent();
}

/** Whoever dropped our blocks has stored the blob, unless it is gone again. */
async function reasonOfLoss(
  container: AzureContainer,
  key: string,
  loss: StoreError,
  signal: AbortSignal | undefined,
): Promise<Error> {
  return await head(container, key, signal).then(
    () => new AlreadyExistsError(loss.message, { cause: loss.cause }),
    (error: unknown) => (error instanceof NotFoundError || !(error instanceof Error) ? loss : error),
  );
}

async function get(container: AzureContainer, key: string, { range, signal }: GetOptions = {}): Promise<StoredObject> {
  checkKey(key);
  if (range !== undefined) checkRange(range);
  const action = `read ${key} from ${container.location}`;
  const count = range?.end === undefined ? undefined : range.end - range.start;
  const answer = await callAzure(container, action, { signal }, (abortSignal) =>
    container.client.getBlobClient(key).download(range?.start ?? 0, count, { abortSignal, maxRetryRequests: 0 }),
  );
  const source = answer.readableStreamBody as Readable;
  try {
    const { contentLength, contentRange, lastModified } = answer;
    const { sizeBytes, bodyBytes } = answerSize(
      { contentLength, contentRange },
      range,
      `${key} from ${container.location}`,
    );
    const { idleTimeoutMs } = container;
    const body = receiveBody(source, { sizeBytes: bodyBytes, idleTimeoutMs, signal, action });
    return { ...infoOf(key, { contentLength: sizeBytes, lastModified }, action), body };
  } catch (error) {
    source.destroy();
    throw error;
  }
}

async function head(container: AzureContainer, key: string, signal: AbortSignal | undefined): Promise<ObjectInfo> {
  checkKey(key);
  const action = `look up ${key} in ${container.location}`;
  const blob = container.client.getBlobClient(key);
  return infoOf(
    key,
    await callAzure(container, action, { signal }, (abortSignal) => blob.getProperties({ abortSignal })),
    action,
  );
}

async function* list(container: AzureContainer, prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  yield* inOrder(listPages(container, prefix, options), options, `${container.location}/${prefix}`);
}

/** `startFrom` includes its key, and services before version 2026-02-06 ignore it; {@link inOrder} leaves out what lies before. */
async function* listPages(
  container: AzureContainer,
  prefix: string,
  { startAfter, signal }: ListOptions,
): AsyncGenerator<ObjectInfo> {
  const action = `list ${container.location}/${prefix}`;
  let continuationToken: string | undefined;
  do {
    const page = await callAzure(container, action, { signal }, async (abortSignal) => {
      const startFrom = startAfter === undefined || startAfter === '' ? {} : { startFrom: startAfter };
      const pages = container.client
        .listBlobsFlat({ prefix, abortSignal, ...startFrom })
        .byPage(continuationToken === undefined ? {} : { continuationToken });
      return (await pages.next()).value;
    });
    for (const { name, properties } of page?.segment.blobItems ?? []) yield infoOf(name, properties, action);
    continuationToken = page?.continuationToken;
  } while (continuationToken !== undefined && continuationToken !== '');
}

async function remove(
  container: AzureContainer,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  keys.forEach(checkKey);
  const removeOne = async (key: string) => {
    const blob = container.client.getBlobClient(key);
    await callAzure(container, `delete ${key} from ${container.location}`, { signal }, (abortSignal) =>
      blob.deleteIfExists({ abortSignal, deleteSnapshots: 'include' }),
    );
  };
  await pMap(keys, removeOne, { concurrency: deleteConcurrency });
}

function infoOf(
  key: string,
  { contentLength, lastModified }: { contentLength?: number | undefined; lastModified?: Date | undefined },
  action: string,
): ObjectInfo {
  if (contentLength !== undefined && lastModified !== undefined) {
    return { key, sizeBytes: contentLength, modifiedAt: lastModified };
  }
  throw new StoreError(`cannot ${action}: the answer does not say how large or how old the object is`, {
    retryable: true,
  });
}

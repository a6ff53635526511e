/**
 * The store: keys to bytes. These comments are the contract, and `test/contract/object-store.ts` is derived from
 * them; every driver runs that suite against the real service.
 *
 * Keys: UTF-8 text without control characters, no leading slash, `/` between parts, no empty part, no part `.` or `..`; 1 to 1024 bytes.
 * A key that breaks these rules throws a {@link UsageError} before anything is sent. `location` and keys hold no secrets.
 *
 * Errors, from every member: {@link NotFoundError} only when the service itself answered that this key does not
 * exist; {@link ConfigError} when the bucket, container or root directory does not exist; {@link PermissionError}
 * when it refused us; {@link LocalFileError} when the disk of a directory store is full or read-only; {@link StoreError}
 * for everything else, `retryable` telling whether the same call may succeed later. An aborted signal rejects with the
 * signal's reason. Drivers do not retry whole operations (`with-retries.ts` does).
 */
export interface ObjectStore extends AsyncDisposable {
  /** The URL of this store for messages, e.g. `s3://bucket/prefix`. Never holds credentials. */
  readonly location: string;

  /**
   * Stores the body under the key. When it resolves, the bytes are durable and every reader on every host sees all
   * of them. Until then, and for ever after a failure or an abort, readers see what was there before: nothing
   * half-written ever becomes visible, and what had been sent (parts, blocks, temporary files) is removed as far as
   * the service can still be reached. Only when the answer to the very last request is lost, or an abort did not wait
   * for it, may the whole object be there all the same.
   *
   * With `ifAbsent` it throws an {@link AlreadyExistsError} when the key exists, and of several hosts that create
   * the same key at the same time exactly one succeeds. What is there then is durable, too, whoever wrote it. Without
   * it, an existing object is replaced as a whole.
   */
  put(key: string, body: Body, options?: PutOptions): Promise<void>;

  /**
   * Opens an object. A key that does not exist rejects here, before the first byte of the body. The body must be
   * read to its end or left by `break`/`return`, which frees the connection. A body that ends early throws instead
   * of ending: the consumer has had exactly the bytes of the object (or range) when the loop ends.
   */
  get(key: string, options?: GetOptions): Promise<StoredObject>;

  /** Size and time of one object. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo>;

  /**
   * All objects whose key begins with the prefix (which need not end at a `/`), in ascending byte order of the keys,
   * however many there are, fetched page by page. `startAfter` leaves out every key up to and including that one. An object
   * that existed before the listing began and still exists at its end is listed; temporary objects of this or
   * another writer are not.
   */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;

  /** Removes the objects; keys that do not exist are no error. Any number of keys; not atomic. */
  delete(keys: readonly string[], options?: CallOptions): Promise<void>;

  /** Frees connections. The store must not be used afterwards. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * What is to be stored: bytes, or a function that opens a stream of unknown length. The function is called once per
 * attempt, so it must give the same object from its start each time. A stream that throws makes `put` reject with that very
 * error. Drivers hold a bounded part of a stream in memory, never all of it. The stream's chunks may not be changed by their
 * producer afterwards.
 */
export type Body = Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  readonly ifAbsent?: boolean | undefined;
}

/**
 * Bytes `start` up to but not including `end`; without `end`, or where that lies behind it, to the end of the object. `start` must
 * lie inside the object: behind it is a {@link StoreError}. What is no range at all is a {@link UsageError} before anything is sent.
 */
export interface ByteRange {
  readonly start: number;
  readonly end?: number | undefined;
}

export interface GetOptions extends CallOptions {
  readonly range?: ByteRange | undefined;
}

export interface ListOptions extends CallOptions {
  readonly startAfter?: string | undefined;
}

export interface ObjectInfo {
  readonly key: string;
  /** Size of the whole object, also where a range is read. */
  readonly sizeBytes: number;
  /** When the object was stored, by the service's clock. */
  readonly modifiedAt: Date;
}

export interface StoredObject extends ObjectInfo {
  readonly body: AsyncIterable<Uint8Array>;
}

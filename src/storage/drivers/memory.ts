import { AlreadyExistsError, NotFoundError } from '../../errors.ts';
import { abortable } from '../../util/abortable.ts';
import { checkRange, resolveRange } from '../byte-range.ts';
import { checkKey, checkPrefix, compareKeys } from '../key.ts';
import type { Body, GetOptions, ListOptions, ObjectInfo, ObjectStore, StoredObject } from '../object-store.ts';

const chunkSizeBytes = 64 * 1024;

interface MemoryObject extends ObjectInfo {
  readonly bytes: Uint8Array;
}

export interface MemoryStoreOptions {
  /** The clock of `modifiedAt`; the machine's unless told. */
  readonly now?: () => Date;
}

/** A store that lives as long as this object, for tests and trials. Bodies are held in memory as a whole. */
export function createMemoryStore({ now = () => new Date() }: MemoryStoreOptions = {}): ObjectStore {
  const objects = new Map<string, MemoryObject>();
  return {
    location: 'memory://',
    async put(key, body, { ifAbsent, signal } = {}) {
      checkKey(key);
      const bytes = await collect(body, signal);
      signal?.throwIfAborted();
      if (ifAbsent === true && objects.has(key))
        throw new AlreadyExistsError(`cannot store memory://${key}: it exists already`);
      objects.set(key, { key, bytes, sizeBytes: bytes.length, modifiedAt: now() });
    },
    async get(key, options = {}) {
      if (options.range !== undefined) checkRange(options.range);
      return open(find(key, options.signal), options);
    },
    head: async (key, options = {}) => describe(find(key, options.signal)),
    list: (prefix, options = {}) => list(objects, prefix, options),
    async delete(keys, { signal } = {}) {
      keys.forEach(checkKey);
      signal?.throwIfAborted();
      for (const key of keys) objects.delete(key);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };

  function find(key: string, signal: AbortSignal | undefined): MemoryObject {
    checkKey(key);
    signal?.throwIfAborted();
    const object = objects.get(key);
    if (object === undefined) throw new NotFoundError(`cannot read memory://${key}: it does not exist`);
    return object;
  }
}

/** A copy, so that nobody changes an object through the bytes that he gave. */
async function collect(body: Body, signal: AbortSignal | undefined): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (body instanceof Uint8Array) return Uint8Array.from(body);
  return Buffer.concat(await Array.fromAsync(abortable(body(), signal)));
}

function describe({ key, sizeBytes, modifiedAt }: MemoryObject): ObjectInfo {
  return { key, sizeBytes, modifiedAt };
}

function open(object: MemoryObject, { range, signal }: GetOptions): StoredObject {
  const { start, end } = resolveRange(range, object.sizeBytes, `memory://${object.key}`);
  return { ...describe(object), body: readChunks(object.bytes.slice(start, end), signal) };
}

async function* readChunks(bytes: Uint8Array, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < bytes.length; position += chunkSizeBytes) {
    signal?.throwIfAborted();
    yield bytes.subarray(position, position + chunkSizeBytes);
  }
}

async function* list(
  objects: ReadonlyMap<string, MemoryObject>,
  prefix: string,
  options: ListOptions,
): AsyncGenerator<ObjectInfo> {
  checkPrefix(prefix);
  const startAfter = options.startAfter ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && compareKeys(key, startAfter) > 0);
  for (const key of keys.sort(compareKeys)) {
    options.signal?.throwIfAborted();
    const object = objects.get(key);
    if (object !== undefined) yield describe(object);
  }
}

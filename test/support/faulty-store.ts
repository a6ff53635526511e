import { StoreError } from '../../src/errors.ts';
import type { Body, ObjectInfo, ObjectStore, StoredObject } from '../../src/storage/object-store.ts';
import { inChunks } from './byte-streams.ts';

type StoreMember = 'put' | 'get' | 'head' | 'list' | 'delete';

/**
 * What goes wrong, and at which call. Calls are counted from 1: those of one member when it is named, otherwise all.
 *
 * - `fail`: the call throws before anything has happened
 * - `lose-answer`: everything happens, then the call throws
 * - `break`: a `get` body throws after so many bytes, a listing after so many objects; `put` takes so many bytes of a stream, throws, and
 *   stores nothing
 * - `truncate`: the same without an error: the body or listing ends early, and `put` stores the beginning only
 * - `hold`: the call waits first, for as long as the promise takes
 */
export type Fault = { readonly member?: StoreMember; readonly call: number } & (
  | { readonly kind: 'fail' | 'lose-answer'; readonly error?: Error }
  | { readonly kind: 'break'; readonly after: number; readonly error?: Error }
  | { readonly kind: 'truncate'; readonly after: number }
  | { readonly kind: 'hold'; readonly until: () => Promise<unknown> }
);

interface StoreCall {
  readonly member: StoreMember;
  /** The key, the prefix of a listing, or the first of the keys to delete. */
  readonly key: string;
}

export interface FaultyStore extends ObjectStore {
  /** The calls so far, in their order. */
  readonly calls: readonly StoreCall[];
}

/** A store that lets the planned calls go wrong and hands on all others. The error is a retryable {@link StoreError} unless told. */
export function faultyStore(store: ObjectStore, ...faults: readonly Fault[]): FaultyStore {
  const calls: StoreCall[] = [];

  /** Counts the call and carries out what concerns it as a whole; what is left concerns its body. */
  async function run<T>(member: StoreMember, key: string, call: (fault: Fault | undefined) => Promise<T>): Promise<T> {
    calls.push({ member, key });
    const ofMember = calls.filter((other) => other.member === member).length;
    const fault = faults.find((plan) =>
      plan.member === undefined ? plan.call === calls.length : plan.member === member && plan.call === ofMember,
    );
    if (fault?.kind === 'fail') throw errorOf(fault);
    if (fault?.kind === 'hold') await fault.until();
    const answer = await call(fault);
    if (fault?.kind === 'lose-answer') throw errorOf(fault);
    return answer;
  }

  return {
    location: store.location,
    calls,
    put: (key, body, options) =>
      run(
        'put',
        key,
        async (fault) => await store.put(key, fault === undefined ? body : faultyBody(body, fault), options),
      ),
    get: (key, options) =>
      run('get', key, async (fault): Promise<StoredObject> => {
        const object = await store.get(key, options);
        return fault === undefined ? object : { ...object, body: cutShort(object.body, fault, byBytes) };
      }),
    head: (key, options) => run('head', key, () => store.head(key, options)),
    async *list(prefix, options): AsyncGenerator<ObjectInfo> {
      yield* await run('list', prefix, async (fault) => {
        const objects = store.list(prefix, options);
        return fault === undefined ? objects : cutShort(objects, fault, byCount);
      });
    },
    delete: (keys, options) => run('delete', keys[0] ?? '', () => store.delete(keys, options)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

function errorOf(fault: { readonly error?: Error }): Error {
  return fault.error ?? new StoreError('the store is out of order', { retryable: true });
}

function faultyBody(body: Body, fault: Fault): Body {
  if (fault.kind !== 'break' && fault.kind !== 'truncate') return body;
  const open = body instanceof Uint8Array ? () => inChunks(body, body.length) : body;
  return () => cutShort(open(), fault, byBytes);
}

interface Measure<T> {
  readonly size: (item: T) => number;
  /** What of the item still fits; undefined when nothing of it does. */
  readonly head: (item: T, size: number) => T | undefined;
}

const byCount: Measure<ObjectInfo> = { size: () => 1, head: () => undefined };
const byBytes: Measure<Uint8Array> = {
  size: (chunk) => chunk.length,
  head: (chunk, size) => (size > 0 ? chunk.subarray(0, size) : undefined),
};

/** The items up to the amount at which the fault strikes. */
async function* cutShort<T>(source: AsyncIterable<T>, fault: Fault, measure: Measure<T>): AsyncGenerator<T> {
  if (fault.kind !== 'break' && fault.kind !== 'truncate') return yield* source;
  let left = fault.after;
  for await (const item of source) {
    if (measure.size(item) > left) {
      const head = measure.head(item, left);
      if (head !== undefined) yield head;
      if (fault.kind === 'break') throw errorOf(fault);
      return;
    }
    left -= measure.size(item);
    yield item;
  }
  if (fault.kind === 'break' && left === 0) throw errorOf(fault);
}

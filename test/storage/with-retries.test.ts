import { describe, expect, it } from 'vitest';
import { createContext, type Logger } from '../../src/context.ts';
import { AlreadyExistsError, IntegrityError, NotFoundError, PermissionError, StoreError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { withRetries } from '../../src/storage/with-retries.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';

const policy = { initialDelayMs: 100, maximumDelayMs: 2000, deadlineMs: 10_000 };
const busy = new StoreError('slow down', { retryable: true });
const bytes = walLikeBytes(1_000_000);

function setUp(...faults: Fault[]) {
  const memory = createMemoryStore();
  const faulty = faultyStore(memory, ...faults);
  const clock = fakeClock();
  const warnings: object[] = [];
  const log: Logger = { ...createContext().log, warn: (fields) => warnings.push(fields) };
  return { memory, faulty, clock, warnings, store: withRetries(faulty, policy, createContext({ clock, log })) };
}

/** As many faults of one kind as calls may be made. */
function always(fault: { readonly kind: 'fail' | 'lose-answer'; readonly error: Error }): Fault[] {
  return Array.from({ length: 200 }, (_, index) => ({ ...fault, call: index + 1 }));
}

const calls: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  put: (store) => store.put('object', () => inChunks(bytes, 65_536)),
  get: async (store) => joined((await store.get('here')).body),
  head: (store) => store.head('here'),
  list: (store) => Array.fromAsync(store.list('')),
  delete: (store) => store.delete(['here']),
};

describe('a store with retries', () => {
  it.for(Object.entries(calls))('repeats %s after failures that may pass, and says so', async ([member, call]) => {
    const { memory, store, faulty, clock, warnings } = setUp(
      { kind: 'fail', call: 1 },
      { kind: 'fail', call: 2, error: busy },
    );
    await memory.put('here', bytes);
    await call(store);
    expect(faulty.calls.length).toBe(3);
    expect(clock.sleeps.length).toBe(2);
    expect(warnings).toMatchObject([
      { operation: member, failures: 1 },
      { operation: member, failures: 2, cause: 'slow down' },
    ]);
  });

  it.for(Object.entries(calls))('throws at once what another attempt cannot heal, from %s', async ([, call]) => {
    const permanent = [
      new NotFoundError('gone'),
      new AlreadyExistsError('there'),
      new PermissionError('denied'),
      new IntegrityError('damaged'),
      new StoreError('never', { retryable: false }),
      new TypeError('a bug'),
    ];
    for (const error of permanent) {
      const { memory, store, faulty, clock } = setUp({ kind: 'fail', call: 1, error });
      await memory.put('here', bytes);
      await expect(call(store)).rejects.toBe(error);
      expect(faulty.calls.length).toBe(1);
      expect(clock.sleeps).toEqual([]);
    }
  });

  it('waits longer each time, never longer than the maximum, and never quite as long as another one', async () => {
    const { store, clock } = setUp(...always({ kind: 'fail', error: busy }));
    await expect(store.head('object')).rejects.toBe(busy);
    const nominal = clock.sleeps.map((_, index) => Math.min(100 * 2 ** index, 2000));
    clock.sleeps.forEach((ms, index) => {
      expect(ms).toBeGreaterThanOrEqual((nominal[index] ?? 0) / 2);
      expect(ms).toBeLessThanOrEqual(nominal[index] ?? 0);
    });
    expect(new Set(clock.sleeps.filter((_, index) => nominal[index] === 2000)).size).toBeGreaterThan(1);
  });

  it('gives up when the deadline has passed, with the last error', async () => {
    const { store, clock } = setUp(...always({ kind: 'fail', error: busy }));
    const start = clock.now().getTime();
    await expect(store.head('object')).rejects.toBe(busy);
    const elapsedMs = clock.now().getTime() - start;
    expect(elapsedMs).toBeLessThanOrEqual(10_000);
    expect(elapsedMs).toBeGreaterThan(7000);
  });

  it('counts the deadline from the first failure, so that a long upload that breaks is repeated', async () => {
    const { store, clock, faulty } = setUp({ kind: 'lose-answer', call: 1 });
    await store.put('object', async function* () {
      clock.advance(3_600_000);
      yield bytes;
    });
    expect(faulty.calls.length).toBe(2);
  });

  it('ends a wait when the signal is aborted', async () => {
    const abort = new AbortController();
    const faulty = faultyStore(createMemoryStore(), ...always({ kind: 'fail', error: busy }));
    const store = withRetries(
      faulty,
      { initialDelayMs: 60_000, maximumDelayMs: 60_000, deadlineMs: 600_000 },
      createContext(),
    );
    const reason = new Error('told to stop');
    setTimeout(() => abort.abort(reason), 20);
    await expect(store.head('object', { signal: abort.signal })).rejects.toBe(reason);
    expect(faulty.calls.length).toBe(1);
  });
});

describe('a put with retries', () => {
  it('calls the body anew for each attempt', async () => {
    const { memory, store } = setUp(
      { kind: 'break', call: 1, after: 300_000 },
      { kind: 'break', call: 2, after: 1_000_000 },
    );
    let opened = 0;
    await store.put('object', () => {
      opened += 1;
      return inChunks(bytes, 65_536);
    });
    expect(opened).toBe(3);
    expect((await joined((await memory.get('object')).body)).equals(bytes)).toBe(true);
  });

  it('does not repeat what the body itself threw, even when that could pass', async () => {
    const { store, faulty } = setUp();
    const failing = async function* () {
      yield bytes;
      throw busy;
    };
    await expect(store.put('object', failing)).rejects.toBe(busy);
    expect(faulty.calls.length).toBe(1);
  });

  it('says AlreadyExistsError when an attempt with an unknown outcome had stored the object', async () => {
    const { memory, store } = setUp({ kind: 'lose-answer', call: 1 });
    await expect(store.put('object', bytes, { ifAbsent: true })).rejects.toThrow(AlreadyExistsError);
    expect((await memory.head('object')).sizeBytes).toBe(bytes.length);
  });

  it('replaces once more when an attempt with an unknown outcome had stored the object', async () => {
    const { memory, store, faulty } = setUp({ kind: 'lose-answer', call: 1 });
    await store.put('object', bytes);
    expect(faulty.calls.length).toBe(2);
    expect((await memory.head('object')).sizeBytes).toBe(bytes.length);
  });
});

describe('a listing with retries', () => {
  it('goes on behind the last object that it gave', async () => {
    const { memory, store, faulty } = setUp(
      { kind: 'break', call: 1, after: 3 },
      { kind: 'fail', call: 2 },
      { kind: 'break', call: 3, after: 4 },
    );
    const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`);
    for (const key of keys) await memory.put(key, Buffer.from(key));
    const listed = await Array.fromAsync(store.list('key'));
    expect(listed.map(({ key }) => key)).toEqual(keys);
    expect(faulty.calls.length).toBe(4);
  });

  it('keeps to startAfter when the first attempt gave nothing', async () => {
    const { memory, store } = setUp({ kind: 'fail', call: 1 });
    for (const key of ['a', 'b', 'c']) await memory.put(key, Buffer.from(key));
    const listed = await Array.fromAsync(store.list('', { startAfter: 'a' }));
    expect(listed.map(({ key }) => key)).toEqual(['b', 'c']);
  });

  it('starts the deadline afresh when objects have come', async () => {
    const faults = Array.from({ length: 60 }, (_, index): Fault => ({ kind: 'break', call: index + 1, after: 1 }));
    const { memory, store, clock } = setUp(...faults);
    for (let index = 100; index < 160; index += 1) await memory.put(`key-${index}`, Buffer.from('x'));
    expect((await Array.fromAsync(store.list(''))).length).toBe(60);
    expect(Math.max(...clock.sleeps)).toBeLessThanOrEqual(100);
  });
});

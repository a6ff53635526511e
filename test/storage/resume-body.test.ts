import { describe, expect, it } from 'vitest';
import { createContext } from '../../src/context.ts';
import { IntegrityError, PermissionError, StoreError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import type { GetOptions } from '../../src/storage/object-store.ts';
import { withRetries } from '../../src/storage/with-retries.ts';
import { joined, walLikeBytes } from '../support/byte-streams.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { type Fault, faultyStore } from '../support/faulty-store.ts';

const policy = { initialDelayMs: 100, maximumDelayMs: 2000, deadlineMs: 10_000 };
const reset = new StoreError('connection reset', { retryable: true });
const bytes = walLikeBytes(1_000_000);

async function setUp(...faults: Fault[]) {
  const clock = fakeClock();
  const memory = createMemoryStore({ now: () => clock.now() });
  const faulty = faultyStore(memory, ...faults);
  await memory.put('object', bytes);
  const store = withRetries(faulty, policy, createContext({ clock }));
  const read = async (options?: GetOptions) => await joined((await store.get('object', options)).body);
  return { memory, faulty, clock, store, read };
}

describe('a body that breaks', () => {
  it('goes on at the byte where it broke, as often as it must', async () => {
    const { read, faulty } = await setUp(
      { kind: 'break', call: 1, after: 400_000 },
      { kind: 'fail', call: 2 },
      { kind: 'break', call: 3, after: 123_456 },
      { kind: 'break', call: 4, after: 0 },
    );
    expect((await read()).equals(bytes)).toBe(true);
    expect(faulty.calls.length).toBe(5);
  });

  it('stays within the range that was asked for', async () => {
    for (const range of [{ start: 1000 }, { start: 1000, end: 700_000 }, { start: 0, end: 2_000_000 }]) {
      const { read } = await setUp({ kind: 'break', call: 1, after: 250_000 });
      expect((await read({ range })).equals(bytes.subarray(range.start, range.end)), JSON.stringify(range)).toBe(true);
    }
  });

  it('goes on for ever as long as bytes come, however often it breaks', async () => {
    const faults = Array.from({ length: 100 }, (_, index): Fault => ({ kind: 'break', call: index + 1, after: 5000 }));
    const { read } = await setUp(...faults);
    expect((await read()).equals(bytes)).toBe(true);
  });

  it('gives up at the deadline when no byte comes any more', async () => {
    const faults = Array.from(
      { length: 100 },
      (_, index): Fault => ({ kind: 'break', call: index + 2, after: 0, error: reset }),
    );
    const { read, clock } = await setUp({ kind: 'break', call: 1, after: 5000 }, ...faults);
    const start = clock.now().getTime();
    await expect(read()).rejects.toBe(reset);
    expect(clock.now().getTime() - start).toBeLessThanOrEqual(10_000);
  });

  it('throws the error of the break when the object has been replaced since', async () => {
    const replacements = [walLikeBytes(bytes.length, 2), walLikeBytes(10, 3)];
    for (const replacement of replacements) {
      const { memory, clock, store } = await setUp({ kind: 'break', call: 1, after: 400_000, error: reset });
      const { body } = await store.get('object');
      clock.advance(1000);
      await memory.put('object', replacement);
      await expect(joined(body)).rejects.toThrow(StoreError);
    }
  });

  it('throws the error of the break, not NotFoundError, when the object has been deleted since', async () => {
    const { memory, store } = await setUp({ kind: 'break', call: 1, after: 400_000, error: reset });
    const { body } = await store.get('object');
    await memory.delete(['object']);
    await expect(joined(body)).rejects.toBe(reset);
  });

  it('throws at once what reading on cannot heal', async () => {
    for (const error of [new IntegrityError('wrong checksum'), new PermissionError('denied')]) {
      const { read, faulty } = await setUp({ kind: 'break', call: 1, after: 400_000, error });
      await expect(read()).rejects.toBe(error);
      expect(faulty.calls.length).toBe(1);
    }
  });

  it('throws an error that came behind the last byte', async () => {
    const { read, faulty } = await setUp({ kind: 'break', call: 1, after: bytes.length, error: reset });
    await expect(read()).rejects.toBe(reset);
    expect(faulty.calls.length).toBe(1);
  });

  it('can be left early', async () => {
    const { store } = await setUp();
    for await (const chunk of (await store.get('object')).body) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });
});

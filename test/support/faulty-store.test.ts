import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../src/storage/drivers/memory.ts';
import { inChunks, joined } from './byte-streams.ts';
import { faultyStore } from './faulty-store.ts';

const bytes = Buffer.from('0123456789');
const failure = new Error('as planned');

describe('a faulty store', () => {
  it('counts the calls of the named member, or all of them, and records them', async () => {
    const store = faultyStore(
      createMemoryStore(),
      { member: 'put', call: 2, kind: 'fail', error: failure },
      { call: 4, kind: 'fail', error: failure },
    );
    await store.put('a', bytes);
    await store.head('a');
    await expect(store.put('b', bytes)).rejects.toBe(failure);
    await expect(store.head('a')).rejects.toBe(failure);
    await store.head('a');
    expect(store.calls.map(({ member, key }) => `${member} ${key}`)).toEqual([
      'put a',
      'head a',
      'put b',
      'head a',
      'head a',
    ]);
  });

  it('loses the answer of a call that was carried out', async () => {
    const memory = createMemoryStore();
    const store = faultyStore(memory, { call: 1, kind: 'lose-answer' });
    await expect(store.put('a', bytes)).rejects.toMatchObject({ retryable: true });
    expect((await memory.head('a')).sizeBytes).toBe(10);
  });

  it('breaks and truncates what is read', async () => {
    const memory = createMemoryStore();
    await memory.put('a', bytes);
    await memory.put('b', bytes);
    const store = faultyStore(
      memory,
      { member: 'get', call: 1, kind: 'break', after: 4, error: failure },
      { member: 'get', call: 2, kind: 'truncate', after: 4 },
      { member: 'list', call: 1, kind: 'break', after: 1, error: failure },
      { member: 'list', call: 2, kind: 'truncate', after: 1 },
    );
    await expect(joined((await store.get('a')).body)).rejects.toBe(failure);
    expect((await joined((await store.get('a')).body)).toString()).toBe('0123');
    expect((await joined((await store.get('a')).body)).toString()).toBe('0123456789');
    await expect(Array.fromAsync(store.list(''))).rejects.toBe(failure);
    expect((await Array.fromAsync(store.list(''))).length).toBe(1);
    expect((await Array.fromAsync(store.list(''))).length).toBe(2);
  });

  it('breaks and truncates what is written', async () => {
    const memory = createMemoryStore();
    const store = faultyStore(
      memory,
      { call: 1, kind: 'break', after: 4, error: failure },
      { call: 2, kind: 'truncate', after: 4 },
    );
    await expect(store.put('a', () => inChunks(bytes, 3))).rejects.toBe(failure);
    await expect(memory.head('a')).rejects.toThrow('does not exist');
    await store.put('a', bytes);
    expect((await memory.head('a')).sizeBytes).toBe(4);
  });

  it('holds a call until it is let go', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const store = faultyStore(createMemoryStore(), { call: 1, kind: 'hold', until: () => promise });
    let isDone = false;
    const put = store.put('a', bytes).then(() => {
      isDone = true;
    });
    await new Promise((tick) => setTimeout(tick, 20));
    expect(isDone).toBe(false);
    resolve();
    await put;
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CallOptions, ObjectStore } from '../../../src/storage/object-store.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';
import { listKeys, readObject, type SpaceTest } from './store-space.ts';

const mebibyte = 1024 * 1024;

const memberCalls: Readonly<Record<string, (store: ObjectStore, options: CallOptions) => Promise<unknown>>> = {
  put: (store, options) => store.put('object', Buffer.from('new'), options),
  'put ifAbsent': (store, options) => store.put('other', Buffer.from('new'), { ...options, ifAbsent: true }),
  get: async (store, options) => joined((await store.get('object', options)).body),
  head: (store, options) => store.head('object', options),
  list: (store, options) => Array.fromAsync(store.list('', options)),
  delete: (store, options) => store.delete(['object'], options),
};

export function describeAborts(it: SpaceTest): void {
  for (const [member, call] of Object.entries(memberCalls)) {
    it(`that came before rejects ${member} with its reason, and nothing happens`, async ({ space }) => {
      await space.store.put('object', Buffer.from('old'));
      const reason = new Error('told to stop');
      await expect(call(space.store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(await listKeys(space.store)).toEqual(['object']);
      expect((await readObject(space, 'object')).toString()).toBe('old');
    });
  }

  for (const ifAbsent of [false, true]) {
    for (const parts of [0, 2]) {
      it(`in the middle of a put ${parts === 0 ? 'in one piece' : 'in parts'}${ifAbsent ? ' with ifAbsent' : ''} leaves nothing visible and nothing behind`, async ({
        space,
      }) => {
        const { store, partSizeBytes, wholeBodyBytes } = space;
        const sizeBytes = parts === 0 ? 1000 : wholeBodyBytes + parts * partSizeBytes;
        const abort = new AbortController();
        const reason = new Error('told to stop');
        const interrupted = async function* () {
          yield* inChunks(walLikeBytes(sizeBytes), mebibyte);
          abort.abort(reason);
          yield* inChunks(walLikeBytes(sizeBytes), mebibyte);
        };
        await expect(store.put('object', interrupted, { ifAbsent, signal: abort.signal })).rejects.toBe(reason);
        expect(await listKeys(store)).toEqual([]);
        expect(await space.leftovers()).toEqual([]);
      });
    }
  }

  it('ends a put whose source hangs', async ({ space }) => {
    const { store, partSizeBytes, wholeBodyBytes } = space;
    for (const sizeBytes of [1000, wholeBodyBytes + partSizeBytes]) {
      const reason = new Error('told to stop');
      const abort = new AbortController();
      const hanging = async function* () {
        yield* inChunks(walLikeBytes(sizeBytes), mebibyte);
        setTimeout(() => abort.abort(reason), 50);
        await new Promise(() => undefined);
      };
      await expect(store.put('object', hanging, { signal: abort.signal })).rejects.toBe(reason);
      expect(await listKeys(store)).toEqual([]);
      expect(await space.leftovers()).toEqual([]);
    }
  });

  it('at any moment of a put leaves all of the object or nothing', { timeout: 120_000 }, async ({ space }) => {
    const bytes = walLikeBytes(space.wholeBodyBytes + space.partSizeBytes);
    for (let waitMs = 0; waitMs < 60; waitMs += 6) {
      const abort = new AbortController();
      const reason = new Error('told to stop');
      const put = space.store
        .put(`object-${waitMs}`, () => inChunks(bytes, mebibyte), { signal: abort.signal })
        .catch((error: unknown) => error);
      await delay(waitMs);
      abort.abort(reason);
      const outcome = await put;
      expect([undefined, reason]).toContain(outcome);
      if (outcome === undefined) expect(await listKeys(space.store)).toContain(`object-${waitMs}`);
      expect(await space.leftovers()).toEqual([]);
    }
    // A service may carry out a last request whose answer nobody waits for any more; then all of the object is there.
    for (const key of await listKeys(space.store)) expect((await readObject(space, key)).equals(bytes), key).toBe(true);
  });

  it('in the middle of a body rejects with its reason', async ({ space: { store } }) => {
    await store.put('object', walLikeBytes(8 * mebibyte));
    const abort = new AbortController();
    const reason = new Error('told to stop');
    const { body } = await store.get('object', { signal: abort.signal });
    const read = async () => {
      for await (const _ of body) abort.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
    expect((await store.head('object')).sizeBytes).toBe(8 * mebibyte);
  });

  it('in the middle of a listing rejects with its reason', async ({ space: { store } }) => {
    for (let index = 0; index < 5; index += 1) await store.put(`object-${index}`, Buffer.from('x'));
    const abort = new AbortController();
    const reason = new Error('told to stop');
    const read = async () => {
      for await (const _ of store.list('', { signal: abort.signal })) abort.abort(reason);
    };
    await expect(read()).rejects.toBe(reason);
  });
}

import { expect } from 'vitest';
import type { Body } from '../../../src/storage/object-store.ts';
import { inChunks, walLikeBytes } from '../../support/byte-streams.ts';
import { liveMemoryBytes } from '../../support/live-memory.ts';
import { listAll, listKeys, readObject, type SpaceTest, type StoreKind, type StoreSpace } from './store-space.ts';

const mebibyte = 1024 * 1024;

/** The sizes at which a driver changes its way. */
function edgeSizes({ partSizeBytes, wholeBodyBytes }: StoreSpace): number[] {
  const edges = [
    0,
    1,
    partSizeBytes,
    wholeBodyBytes,
    wholeBodyBytes + 1,
    wholeBodyBytes + partSizeBytes,
    3 * partSizeBytes + 1,
  ];
  return [...new Set(edges)];
}

export function describePut(it: SpaceTest, kind: StoreKind): void {
  it('stores bytes of every size, and every reader on every host sees all of them', async ({ space }) => {
    for (const sizeBytes of edgeSizes(space)) {
      const bytes = walLikeBytes(sizeBytes, sizeBytes + 1);
      await space.store.put(`bytes/${sizeBytes}`, bytes);
      expect((await readObject(space, `bytes/${sizeBytes}`)).equals(bytes), `${sizeBytes} bytes`).toBe(true);
    }
    expect((await listAll(space.otherHost ?? space.store, 'bytes/')).length).toBe(edgeSizes(space).length);
    expect(await space.leftovers()).toEqual([]);
  });

  it('stores streams of unknown length of every size', async ({ space }) => {
    for (const sizeBytes of edgeSizes(space)) {
      const bytes = walLikeBytes(sizeBytes, sizeBytes + 2);
      await space.store.put(`stream/${sizeBytes}`, () => inChunks(bytes, 65_536, 300_001));
      expect((await readObject(space, `stream/${sizeBytes}`)).equals(bytes), `${sizeBytes} bytes`).toBe(true);
    }
    expect(await space.leftovers()).toEqual([]);
  });

  it('does not care how a stream is cut into chunks', async ({ space }) => {
    const bytes = walLikeBytes(3 * mebibyte, 7);
    const cuts: Readonly<Record<string, () => AsyncIterable<Uint8Array>>> = {
      single: () => inChunks(bytes.subarray(0, 500), 1),
      uneven: () => inChunks(bytes, 1, 65_536, 77, mebibyte),
      huge: () => inChunks(bytes, bytes.length),
      gappy: async function* () {
        yield new Uint8Array();
        yield* inChunks(bytes, mebibyte);
        yield new Uint8Array();
      },
    };
    for (const [key, open] of Object.entries(cuts)) {
      await space.store.put(key, open);
      expect((await readObject(space, key)).equals(key === 'single' ? bytes.subarray(0, 500) : bytes), key).toBe(true);
    }
  });

  it('replaces an existing object as a whole', async ({ space }) => {
    await space.store.put('object', walLikeBytes(100_000, 1));
    await space.store.put('object', Buffer.from('short'));
    expect((await readObject(space, 'object')).toString()).toBe('short');
    expect((await space.store.head('object')).sizeBytes).toBe(5);
  });

  it('calls a body that is a function once per attempt', async ({
    space: { store, partSizeBytes, wholeBodyBytes },
  }) => {
    let calls = 0;
    const body: Body = () => {
      calls += 1;
      return inChunks(walLikeBytes(wholeBodyBytes + partSizeBytes), mebibyte);
    };
    await store.put('object', body);
    expect(calls).toBe(1);
    await store.put('object', body);
    expect(calls).toBe(2);
  });

  it('shows nothing new until it resolves', async ({ space }) => {
    const { store, partSizeBytes, wholeBodyBytes } = space;
    const reader = space.otherHost ?? store;
    const sizeBytes = wholeBodyBytes + 2 * partSizeBytes;
    await store.put('old', Buffer.from('as it was'));

    const looks: unknown[] = [];
    const lookOnTheWay = async function* () {
      yield* inChunks(walLikeBytes(sizeBytes), mebibyte);
      looks.push(await listKeys(reader), (await readObject(space, 'old')).toString());
    };
    await store.put('new', lookOnTheWay);
    await store.put('old', lookOnTheWay);

    expect(looks).toEqual([['old'], 'as it was', ['new', 'old'], 'as it was']);
    expect((await reader.head('old')).sizeBytes).toBe(sizeBytes);
  });

  for (const ifAbsent of [false, true]) {
    for (const parts of [0, 2]) {
      const size = parts === 0 ? 'small' : 'large';
      it(`rejects with the very error of a ${size} stream that throws, and leaves nothing, ${ifAbsent ? 'with' : 'without'} ifAbsent`, async ({
        space,
      }) => {
        const { store, partSizeBytes, wholeBodyBytes } = space;
        const sizeBytes = parts === 0 ? 1000 : wholeBodyBytes + parts * partSizeBytes;
        const failure = Object.assign(new Error('the source is gone'), { code: 'ENOENT', syscall: 'read' });
        const failing = async function* () {
          yield* inChunks(walLikeBytes(sizeBytes), mebibyte);
          throw failure;
        };
        await expect(store.put('object', failing, { ifAbsent })).rejects.toBe(failure);
        expect(await listKeys(store)).toEqual([]);
        expect(await space.leftovers()).toEqual([]);

        await store.put('object', Buffer.from('before'));
        await expect(store.put('object', failing)).rejects.toBe(failure);
        expect((await readObject(space, 'object')).toString()).toBe('before');
        expect(await space.leftovers()).toEqual([]);
      });
    }
  }

  const bound = kind.memoryBoundBytes;
  if (bound !== undefined) {
    it('holds a bounded part of a stream in memory', { timeout: 120_000 }, async ({ space: { store } }) => {
      const chunk = walLikeBytes(mebibyte);
      const chunkCount = (2 * bound) / mebibyte;
      const before = liveMemoryBytes();
      let peak = before;
      await store.put('large', async function* () {
        for (let count = 0; count < chunkCount; count += 1) {
          yield Buffer.from(chunk);
          if (count % 8 === 0) peak = Math.max(peak, liveMemoryBytes());
        }
      });
      expect((await store.head('large')).sizeBytes).toBe(2 * bound);
      expect(peak - before).toBeLessThan(bound);
    });
  }

  it('stores many objects at once', async ({ space }) => {
    const keys = Array.from({ length: 40 }, (_, index) => `folder-${index % 4}/object-${index}`);
    await Promise.all(keys.map((key) => space.store.put(key, () => inChunks(Buffer.from(key), 3))));
    const stored = await Promise.all(keys.map(async (key) => (await readObject(space, key)).toString()));
    expect(stored).toEqual(keys);
  });
}

import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { StoreError, UsageError } from '../../../src/errors.ts';
import { joined, walLikeBytes } from '../../support/byte-streams.ts';
import type { SpaceTest, StoreSpace } from './store-space.ts';

const mebibyte = 1024 * 1024;

async function putSample({ store }: StoreSpace, sizeBytes: number): Promise<Buffer> {
  const bytes = walLikeBytes(sizeBytes, 42);
  await store.put('folder/object', bytes);
  return bytes;
}

export function describeGet(it: SpaceTest): void {
  it('tells size and time of the object', async ({ space }) => {
    await putSample(space, 12_345);
    const now = Date.now();
    const info = await space.store.head('folder/object');
    expect(Object.keys(info).sort()).toEqual(['key', 'modifiedAt', 'sizeBytes']);
    expect(info).toMatchObject({ key: 'folder/object', sizeBytes: 12_345 });
    expect(Math.abs(info.modifiedAt.getTime() - now)).toBeLessThan(60_000);

    const { body, ...opened } = await space.store.get('folder/object');
    expect(opened).toEqual(info);
    expect((await joined(body)).length).toBe(12_345);
  });

  it('has another time after the object has been replaced', async ({ space }) => {
    await putSample(space, 10);
    const first = await space.store.head('folder/object');
    // HTTP gives times in whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await putSample(space, 10);
    const second = await space.store.head('folder/object');
    expect(second.modifiedAt.getTime()).toBeGreaterThan(first.modifiedAt.getTime());
  });

  it('reads an empty object', async ({ space }) => {
    await putSample(space, 0);
    const object = await space.store.get('folder/object');
    expect(object.sizeBytes).toBe(0);
    expect(await Array.fromAsync(object.body)).toEqual([]);
  });

  it('reads ranges, and tells the size of the whole object beside them', async ({ space }) => {
    const bytes = await putSample(space, 3 * mebibyte + 17);
    const ranges = [
      { start: 0, end: 1 },
      { start: 1, end: 2 },
      { start: 0, end: bytes.length },
      { start: mebibyte - 1, end: 2 * mebibyte + 1 },
      { start: bytes.length - 1, end: bytes.length },
      { start: 0 },
      { start: 5 },
      { start: bytes.length - 1 },
    ];
    for (const range of ranges) {
      const object = await space.store.get('folder/object', { range });
      expect(object.sizeBytes).toBe(bytes.length);
      expect((await joined(object.body)).equals(bytes.subarray(range.start, range.end)), JSON.stringify(range)).toBe(
        true,
      );
    }
  });

  it('ends a range that reaches beyond the object where the object ends', async ({ space }) => {
    const bytes = await putSample(space, 1000);
    const object = await space.store.get('folder/object', { range: { start: 990, end: 2000 } });
    expect(object.sizeBytes).toBe(1000);
    expect((await joined(object.body)).equals(bytes.subarray(990))).toBe(true);
  });

  it('refuses a range that begins behind the object, and does not call the object absent', async ({ space }) => {
    await putSample(space, 1000);
    for (const start of [1000, 5000]) {
      const failure = await space.store.get('folder/object', { range: { start } }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StoreError);
      expect((failure as StoreError).retryable).toBe(false);
    }
  });

  it('refuses what is no range before anything is sent', async ({ space }) => {
    const store = space.missing ?? space.store;
    for (const range of [
      { start: -1 },
      { start: 0.5 },
      { start: 5, end: 5 },
      { start: 5, end: 4 },
      { start: Number.NaN },
    ]) {
      await expect(store.get('folder/object', { range })).rejects.toThrow(UsageError);
    }
  });

  it('gives exactly the bytes of the object to a slow reader', async ({ space }) => {
    const bytes = await putSample(space, 4 * mebibyte);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await space.store.get('folder/object')).body) {
      chunks.push(chunk);
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('gives chunks that the consumer may keep', async ({ space }) => {
    const bytes = await putSample(space, 2 * mebibyte);
    const chunks = await Array.fromAsync((await space.store.get('folder/object')).body);
    await joined((await space.store.get('folder/object')).body);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('frees the connection of a body that is left early', async ({ space }) => {
    const bytes = await putSample(space, 4 * mebibyte);
    // More often than any client has connections.
    for (let count = 0; count < 120; count += 1) {
      for await (const chunk of (await space.store.get('folder/object')).body) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    }
    expect((await joined((await space.store.get('folder/object')).body)).equals(bytes)).toBe(true);
  });

  it('serves many readers at once', async ({ space }) => {
    const bytes = await putSample(space, mebibyte);
    const copies = await Promise.all(
      Array.from({ length: 24 }, async () => await joined((await space.store.get('folder/object')).body)),
    );
    expect(copies.every((copy) => copy.equals(bytes))).toBe(true);
  });
}

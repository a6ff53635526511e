import { randomUUID } from 'node:crypto';
import { expect, it as plainIt } from 'vitest';
import { createContext } from '../../src/context.ts';
import { AlreadyExistsError, ConfigError, NotFoundError, StoreError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { type RetryPolicy, withRetries } from '../../src/storage/with-retries.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { type FaultProxy, type ProxyFault, startFaultProxy } from '../support/fault-proxy.ts';
import { freePort } from '../support/start-server.ts';

const mebibyte = 1024 * 1024;
export const partSizeBytes: number = 5 * mebibyte;
/** Three parts, the last one short. */
const largeBytes = walLikeBytes(2 * partSizeBytes + 1000);
const smallBytes = walLikeBytes(100_000);

/** Quick enough for tests, and goes on for longer than a machine stalls. */
export const quickRetry: RetryPolicy = { initialDelayMs: 20, maximumDelayMs: 100, deadlineMs: 60_000 };

/** For what fails again and again. */
export const briefRetry: RetryPolicy = { ...quickRetry, deadlineMs: 2000 };

/** What connecting through the proxy needs. */
export interface ConnectOptions {
  readonly bucket: string;
  readonly idleTimeoutMs?: number;
  /** {@link quickRetry} unless told. */
  readonly retry?: RetryPolicy;
}

/** One cloud behind the fault proxy: how its requests look, and how it speaks. */
export interface FaultyCloud {
  /** The real service. */
  readonly url: string;
  readonly requests: Readonly<Record<'put' | 'secondPart' | 'lastStep' | 'get' | 'head' | 'list' | 'delete', Match>>;
  /** How the service says that it has too much to do. */
  readonly busy: ProxyFault;
  createBucket(name: string): Promise<void>;
  connect(proxyUrl: string, options: ConnectOptions): ObjectStore;
  /**
   * Whether the service can be asked to take a part again. fake-gcs-server cannot: it takes the question how far an upload is for its
   * end; `gcs-resumable.test.ts` has a server that answers as Google's does.
   */
  readonly repeatsParts: boolean;
  /** Names of unfinished uploads; empty for a service that hides them. */
  leftovers(bucket: string): Promise<readonly string[]>;
}

/** Which requests are meant. */
export type Match = Pick<Parameters<FaultProxy['inject']>[0], 'method' | 'path'>;

export interface FaultSpace {
  readonly proxy: FaultProxy;
  readonly bucket: string;
  /** The driver alone, through the proxy. */
  readonly store: ObjectStore;
  /** As it is used: with retries. */
  readonly patient: ObjectStore;
}

/** `it` with a fresh bucket behind a fresh proxy. */
export function testWithFaults(cloud: FaultyCloud) {
  return plainIt.extend('space', async ({ task: _ }, { onCleanup }): Promise<FaultSpace> => {
    const bucket = `seawall-${randomUUID().slice(0, 18)}`;
    await cloud.createBucket(bucket);
    const proxy = await startFaultProxy(cloud.url);
    const store = cloud.connect(proxy.url, { bucket });
    onCleanup(async () => {
      await store[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    });
    return { proxy, bucket, store, patient: withRetries(store, quickRetry, createContext()) };
  });
}

const somebodyElse: ProxyFault = {
  kind: 'answer',
  status: 404,
  headers: { 'content-type': 'text/html' },
  body: '<html><body>404 page not found</body></html>',
};

/** What every cloud driver makes of the faults of networks and services. */
export function describeFaults(cloud: FaultyCloud): void {
  const it = testWithFaults(cloud);
  const { requests, busy } = cloud;
  const putLarge = (store: ObjectStore, ifAbsent = false) =>
    store.put('large', () => inChunks(largeBytes, mebibyte), { ifAbsent });
  const read = async (store: ObjectStore, key: string) => await joined((await store.get(key)).body);
  const failureOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'no failure',
      (error: unknown) => error,
    );

  it.for(['put', 'get', 'head', 'list', 'delete'] as const)(
    '%s may be repeated when the service is busy',
    async (member, { space }) => {
      const { proxy, store, patient } = space;
      const calls: Record<typeof member, (by: ObjectStore) => Promise<unknown>> = {
        put: (by) => by.put('other', smallBytes),
        get: (by) => read(by, 'small'),
        head: (by) => by.head('small'),
        list: (by) => Array.fromAsync(by.list('')),
        delete: (by) => by.delete(['small']),
      };
      await store.put('small', smallBytes);
      for (const fault of [busy, { kind: 'reset' } as const]) {
        proxy.inject({ ...requests[member], fault });
        expect(await failureOf(calls[member](store))).toMatchObject({ code: 'STORE', retryable: true });
      }
      proxy.inject({ ...requests[member], fault: busy, times: 2 });
      await calls[member](patient);
    },
  );

  it.for(['put', 'get', 'head', 'list', 'delete'] as const)(
    '%s gives up a service that never answers',
    async (member, { space }) => {
      const { proxy, bucket } = space;
      await using store = cloud.connect(proxy.url, { bucket, idleTimeoutMs: 300 });
      const calls: Record<typeof member, () => Promise<unknown>> = {
        put: () => store.put('small', Buffer.from('x')),
        get: () => store.get('small'),
        head: () => store.head('small'),
        list: () => Array.fromAsync(store.list('')),
        delete: () => store.delete(['small']),
      };
      proxy.inject({ ...requests[member], fault: { kind: 'hang' } });
      const startedMs = performance.now();
      expect(await failureOf(calls[member]())).toMatchObject({ code: 'STORE', retryable: true });
      // By default it is given up after a minute.
      expect(performance.now() - startedMs).toBeLessThan(30_000);
    },
  );

  it('lets no upload begin anew when one part has used up the time', async ({ space: { proxy, bucket, store } }) => {
    await using brief = cloud.connect(proxy.url, { bucket, retry: briefRetry });
    proxy.inject({ ...requests.secondPart, fault: busy, times: 1000 });
    const failure = await failureOf(putLarge(withRetries(brief, briefRetry, createContext())));
    expect(failure).toMatchObject({ code: 'STORE', retryable: false });
    expect(await Array.fromAsync(store.list(''))).toEqual([]);
    expect(await cloud.leftovers(bucket)).toEqual([]);
  });

  it('says AlreadyExistsError when the object that is there is its own, whose answer was lost', async ({ space }) => {
    const { proxy, patient, store } = space;
    proxy.inject({ ...requests.put, fault: { kind: 'reset-after' } });
    expect(await failureOf(patient.put('small', smallBytes, { ifAbsent: true }))).toBeInstanceOf(AlreadyExistsError);
    expect((await read(store, 'small')).equals(smallBytes)).toBe(true);
  });

  if (cloud.repeatsParts) {
    it('sends a part again that met a fault, without beginning anew', async ({ space: { proxy, store } }) => {
      for (const fault of [busy, { kind: 'reset' }, { kind: 'reset-after' }] as const) {
        proxy.inject({ ...requests.secondPart, fault });
        await putLarge(store);
        expect((await read(store, 'large')).equals(largeBytes)).toBe(true);
      }
    });

    it('repeats the last step of an upload in parts', async ({ space: { proxy, store } }) => {
      proxy.inject({ ...requests.lastStep, fault: busy, times: 2 });
      await putLarge(store, true);
      expect((await read(store, 'large')).equals(largeBytes)).toBe(true);
    });

    it('ends well or with AlreadyExistsError when the answer to the last step was lost', async ({ space }) => {
      const { proxy, patient, bucket } = space;
      proxy.inject({ ...requests.lastStep, fault: { kind: 'reset-after' } });
      const outcome = await failureOf(putLarge(patient, true));
      expect(outcome === 'no failure' || outcome instanceof AlreadyExistsError, String(outcome)).toBe(true);
      expect((await read(patient, 'large')).equals(largeBytes)).toBe(true);
      expect(await cloud.leftovers(bucket)).toEqual([]);
    });
  }

  it('throws when a body breaks off, after the bytes that came, and reads on with retries', async ({ space }) => {
    const { proxy, store, patient } = space;
    await putLarge(store);
    for (const afterBytes of [0, 1, 3 * mebibyte]) {
      proxy.inject({ ...requests.get, fault: { kind: 'truncate', afterBytes } });
      let received = Buffer.alloc(0);
      const failure = await failureOf(
        (async () => {
          for await (const chunk of (await store.get('large')).body) received = Buffer.concat([received, chunk]);
        })(),
      );
      expect(failure).toMatchObject({ code: 'STORE', retryable: true });
      expect(received.length).toBeLessThan(largeBytes.length);
      expect(received.equals(largeBytes.subarray(0, received.length))).toBe(true);
    }
    proxy.inject({ ...requests.get, fault: { kind: 'truncate', afterBytes: 2 * mebibyte }, times: 3 });
    expect((await read(patient, 'large')).equals(largeBytes)).toBe(true);
  });

  it.for(['get', 'head'] as const)('%s takes a 404 of somebody else for no absence', async (member, { space }) => {
    const { proxy, store } = space;
    await store.put('small', smallBytes);
    proxy.inject({ ...requests[member], fault: somebodyElse });
    proxy.inject({ ...requests.get, fault: somebodyElse });
    const failure = await failureOf(store[member]('small'));
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure).not.toBeInstanceOf(NotFoundError);
  });

  it('asks for nothing at an endpoint where nobody listens', async ({ space: { bucket } }) => {
    await using store = cloud.connect(`http://127.0.0.1:${await freePort()}`, { bucket });
    for (const call of [
      () => store.get('small'),
      () => store.put('small', smallBytes),
      () => store.head('small'),
      () => store.delete(['small']),
    ]) {
      const failure = await failureOf(call());
      expect(failure).toMatchObject({ code: 'STORE', retryable: true, hint: expect.stringMatching(/^[A-Z].*\.$/) });
      expect(failure).not.toBeInstanceOf(ConfigError);
    }
  });
}

import { randomUUID } from 'node:crypto';
import { it as plainIt } from 'vitest';
import type { ObjectInfo, ObjectStore } from '../../../src/storage/object-store.ts';
import { joined } from '../../support/byte-streams.ts';

/** A place of its own in a service (a bucket, a container, a directory), empty at the beginning. */
export interface StoreSpace extends AsyncDisposable {
  readonly store: ObjectStore;
  /** A second connection to the same place, as another host has one; undefined for a store that only this process sees. */
  readonly otherHost: ObjectStore | undefined;
  /** A store of the same service on a place that does not exist, if `StoreKind.hasMissingPlaces`. */
  readonly missing: ObjectStore | undefined;
  /** A store on the same place that is not let in, if `StoreKind.refusesStrangers`. */
  readonly denied: ObjectStore | undefined;
  /** What must appear neither in locations nor in messages. */
  readonly secrets: readonly string[];
  /** How the driver cuts a large body; for a driver that does not, any size. */
  readonly partSizeBytes: number;
  /** The size up to which a body is sent in one request, with the same exception. */
  readonly wholeBodyBytes: number;
  /** Names of what the service keeps besides objects: unfinished uploads, uncommitted blocks, temporary files. */
  leftovers(): Promise<readonly string[]>;
}

/** One of the stores, and which parts of the contract have a meaning for it. */
export interface StoreKind {
  readonly hasMissingPlaces: boolean;
  readonly refusesStrangers: boolean;
  /** Whether the service orders U+10000 and above behind U+E000 to U+FFFF, as bytes do; one that sorts UTF-16 units does not. */
  readonly ordersAllPlanes: boolean;
  /** How much the process may grow while one body is stored; undefined when the driver may hold all of it. */
  readonly memoryBoundBytes: number | undefined;
  /** Opens a space; the name is new and fits a bucket of any service. */
  open(name: string): Promise<StoreSpace>;
}

/** `it` with a fresh {@link StoreSpace} for each test that asks for one. */
export type SpaceTest = ReturnType<typeof testInSpace>;

export function testInSpace(kind: StoreKind) {
  return plainIt.extend('space', async ({ task: _ }, { onCleanup }) => {
    const space = await kind.open(`seawall-${randomUUID().slice(0, 18)}`);
    onCleanup(() => space[Symbol.asyncDispose]());
    return space;
  });
}

/** The whole object, through a connection that did not write it where there is one. */
export async function readObject({ store, otherHost }: StoreSpace, key: string): Promise<Buffer> {
  return await joined((await (otherHost ?? store).get(key)).body);
}

/** The keys in the order of the listing. */
export async function listKeys(store: ObjectStore, prefix = '', startAfter?: string): Promise<string[]> {
  return (await listAll(store, prefix, startAfter)).map(({ key }) => key);
}

export async function listAll(store: ObjectStore, prefix = '', startAfter?: string): Promise<ObjectInfo[]> {
  return await Array.fromAsync(store.list(prefix, { startAfter }));
}

/** The keys in ascending order of their bytes, by another way than the code under test. */
export function inByteOrder(keys: Iterable<string>): string[] {
  return [...keys].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

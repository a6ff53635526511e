import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AlreadyExistsError } from '../../../src/errors.ts';
import { createFilesystemStore } from '../../../src/storage/drivers/filesystem.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { joined, walLikeBytes } from '../../support/byte-streams.ts';
import { numberedObject, type PutOutcome } from '../../support/directory-writer-objects.ts';
import { startCommand } from '../../support/run-command.ts';
import { waitFor } from '../../support/wait-for.ts';

const writer = fileURLToPath(new URL('../../support/directory-writer.ts', import.meta.url));

let root: string;
let store: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'seawall-durability-'));
  store = createFilesystemStore(root);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

/** For every fsync from now on: what it was of, and whether the object had its name by then. */
async function watchSyncs(objectPath: string): Promise<string[]> {
  const syncs: string[] = [];
  const handle = await open(root, 'r');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const sync = prototype.sync;
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: typeof handle) {
    const kind = (await this.stat()).isDirectory() ? 'folder' : 'file';
    syncs.push(`${kind} ${existsSync(objectPath) ? 'after' : 'before'}`);
    return await sync.call(this);
  });
  return syncs;
}

describe('a put into a directory', () => {
  it.for([false, true])(
    'syncs the file before it gets its name, and the folder after (ifAbsent: %s)',
    async (ifAbsent) => {
      await store.put('folder/other', Buffer.from('x'));
      const syncs = await watchSyncs(join(root, 'folder/object'));
      await store.put('folder/object', Buffer.from('x'), { ifAbsent });
      expect(syncs).toEqual(['file before', 'folder after']);
    },
  );

  it('syncs the folders that it creates, and their parents', async () => {
    const syncs = await watchSyncs(join(root, 'a/b/object'));
    await store.put('a/b/object', Buffer.from('x'));
    expect(syncs).toEqual(['folder before', 'folder before', 'file before', 'folder after']);
  });

  it('makes durable what it finds there, whose writer may have died too early, before it says so', async () => {
    await store.put('folder/object', Buffer.from('x'));
    const syncs = await watchSyncs(join(root, 'folder/object'));
    await expect(store.put('folder/object', Buffer.from('x'), { ifAbsent: true })).rejects.toThrow(AlreadyExistsError);
    expect(syncs).toEqual(['file after', 'file after', 'folder after']);
  });

  it('leaves whole objects only when the writer is killed at any moment', { timeout: 240_000 }, async () => {
    const keys = () => Array.fromAsync(store.list('wal_005/'), ({ key }) => key);
    for (let round = 0; round < 15 || (await keys()).length === 0; round += 1) {
      const start = round * 7;
      const { process: child, finished } = startCommand(process.execPath, [writer, 'for-ever', root, String(start)]);
      await waitFor('the writer to begin', () => existsSync(join(root, `begun/${start}`)), { intervalMs: 2 });
      await delay(Math.random() * 100);
      child.kill('SIGKILL');
      expect((await finished).signal).toBe('SIGKILL');
    }
    for (const key of await keys()) {
      const { bytes } = numberedObject(Number(key.slice('wal_005/'.length)));
      expect((await joined((await store.get(key)).body)).equals(bytes), key).toBe(true);
    }
    await store.put('wal_005/after', Buffer.from('x'), { ifAbsent: true });
  });

  it('lets one of twenty writers in five processes win', { timeout: 240_000 }, async () => {
    for (const key of ['wal_005/first', 'wal_005/second', 'deep/folders/third']) {
      const moment = String(Date.now() + 500);
      const racers = [1, 2, 3, 4, 5].map((seed) =>
        startCommand(process.execPath, [writer, 'race', root, key, String(seed), moment]),
      );
      const results = await Promise.all(racers.map(({ finished }) => finished));
      const outcomes = results.map(({ stdout }) => (JSON.parse(stdout) as PutOutcome[]).map(({ outcome }) => outcome));
      expect(outcomes.flat().filter((outcome) => outcome === 'stored')).toEqual(['stored']);
      expect(outcomes.flat().filter((outcome) => outcome === 'AlreadyExistsError').length).toBe(19);

      const process1 = outcomes.findIndex((outcome) => outcome.includes('stored'));
      const seed = (process1 + 1) * 10 + (outcomes[process1] ?? []).indexOf('stored') + 1;
      expect((await joined((await store.get(key)).body)).equals(walLikeBytes(300_000, seed))).toBe(true);
    }
  });
});

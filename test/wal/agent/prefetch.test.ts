import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { createActivity } from '../../../src/wal/agent/activity.ts';
import { prefetch } from '../../../src/wal/agent/prefetch.ts';
import { type Half, makeHalf } from '../../../src/wal/spool.ts';
import { writeAsked } from '../../../src/wal/spool-asked.ts';
import { faultyStore } from '../../support/faulty-store.ts';
import { type RunningWork, startWork } from '../../support/running-work.ts';
import { makeSpoolSpace, type SpoolSpace } from '../../support/spool-space.ts';
import { controlFileOf } from '../../support/stored-backup.ts';
import { waitFor } from '../../support/wait-for.ts';
import { makeSegment, testSystemIdentifier } from '../../support/wal-segment.ts';

const mib = 1024 * 1024;
const name = (number: number, timeline = 1) =>
  `0000000${timeline}0000000000000${number.toString(16).padStart(3, '0').toUpperCase()}`;
const codec = createCodec('zstd');

let space: SpoolSpace;
let half: Half;
let memory: ObjectStore;
beforeEach(async () => {
  space = makeSpoolSpace();
  mkdirSync(space.path('global'));
  writeFileSync(space.path('global', 'pg_control'), controlFileOf(testSystemIdentifier, mib));
  half = (await makeHalf(space.call('fetch'))) as Half;
  memory = createMemoryStore();
});
afterEach(() => space[Symbol.dispose]());

async function store(...fileNames: readonly string[]): Promise<void> {
  for (const fileName of fileNames) {
    await memory.put(`wal_005/${fileName}.zst`, () => codec.encode([makeSegment({ fileName })] as never));
  }
}

const largeWindow = { segments: 16, sizeBytes: 64 * mib };

function start(from: ObjectStore = memory, window = { segments: 4, sizeBytes: 64 * mib }): RunningWork {
  const options = { half, dataDirectory: space.dataDirectory, jobs: 2, window, activity: createActivity() };
  return startWork((context) => prefetch(createRepository(from, codec), options, context));
}

const fetched = () => readdirSync(join(half.path, 'fetched')).sort();
const isFetched =
  (...fileNames: readonly string[]) =>
  () =>
    fetched().join() === fileNames.join();

/** What recovery does with a fetched segment. */
function take(fileName: string): void {
  renameSync(join(half.path, 'fetched', fileName), join(space.walDirectory, 'RECOVERYXLOG'));
}

describe('fetching ahead', () => {
  it('fetches what follows the segment that was asked for, as far as the window goes', async () => {
    await store(...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => name(number)));
    await writeAsked(half, name(2));
    await using _agent = start();
    await waitFor('the window', isFetched(name(3), name(4), name(5), name(6)));
    for (const number of [3, 6]) {
      const bytes = readFileSync(join(half.path, 'fetched', name(number)));
      expect(bytes.equals(makeSegment({ fileName: name(number) }))).toBe(true);
    }
    await waitFor('the claims to go', () => readdirSync(join(half.path, 'claimed')).length === 0);
  });

  it('does nothing until something was asked for', async () => {
    await store(name(1), name(2));
    await using _agent = start();
    await delay(300);
    expect(fetched()).toEqual([]);
    await writeAsked(half, name(1));
    await waitFor('the next segment', isFetched(name(2)));
  });

  it('follows recovery as that takes segments, and beyond the end of the archive when it grows', async () => {
    await store(...[1, 2, 3, 4, 5, 6].map((number) => name(number)));
    await writeAsked(half, name(1));
    await using _agent = start();
    await waitFor('the window', isFetched(...[2, 3, 4, 5].map((number) => name(number))));
    take(name(2));
    await waitFor('one more', isFetched(...[3, 4, 5, 6].map((number) => name(number))));
    for (const number of [3, 4]) take(name(number));
    await store(name(7));
    await delay(1_100);
    take(name(5));
    await waitFor('the new one', isFetched(name(6), name(7)));
  });

  it('fetches each segment once, however it comes and goes while the agent looks', async () => {
    const names = Array.from({ length: 80 }, (_, index) => name(index + 1));
    await store(...names);
    const faulty = faultyStore(memory);
    await writeAsked(half, name(1));
    await using _agent = start(faulty, largeWindow);
    for (const fileName of names.slice(1)) {
      await waitFor(fileName, () => fetched().includes(fileName), { intervalMs: 1 });
      take(fileName);
    }
    const got = faulty.calls.filter(({ member }) => member === 'get').map(({ key }) => key);
    expect(got.toSorted()).toEqual(names.slice(1).map((fileName) => `wal_005/${fileName}.zst`));
  });

  it('goes with recovery when that turns back or takes another timeline, and drops the rest', async () => {
    await store(...[1, 2, 3, 4, 5, 6].map((number) => name(number)), name(4, 2), name(5, 2));
    await writeAsked(half, name(4));
    await using _agent = start();
    await waitFor('the last two', isFetched(name(5), name(6)));
    await writeAsked(half, name(1));
    await waitFor('the earlier ones', isFetched(...[2, 3, 4, 5].map((number) => name(number))));
    await writeAsked(half, name(3, 2));
    await waitFor('the other timeline', isFetched(name(4, 2), name(5, 2)));
  });

  it('stops at a gap and at the end of the archive', async () => {
    await store(name(2), name(3), name(5));
    await writeAsked(half, name(1));
    const faulty = faultyStore(memory);
    await using _agent = start(faulty);
    await waitFor('two', isFetched(name(2), name(3)));
    await delay(1_500);
    expect(fetched()).toEqual([name(2), name(3)]);
    expect(faulty.calls.filter(({ key }) => key.includes(name(4)))).toEqual([]);
  });

  it('lists the repository once for many segments', async () => {
    await store(...Array.from({ length: 12 }, (_, index) => name(index + 1)));
    const faulty = faultyStore(memory);
    await writeAsked(half, name(1));
    await using _agent = start(faulty, largeWindow);
    await waitFor('all of them', () => fetched().length === 11);
    expect(faulty.calls.filter(({ member }) => member === 'list').length).toBeLessThanOrEqual(2);
  });

  it('keeps to the window in bytes', async () => {
    await store(name(2), name(3), name(4));
    await writeAsked(half, name(1));
    await using _agent = start(memory, { segments: 16, sizeBytes: 2 * mib });
    await waitFor('two', () => fetched().length === 2);
    await delay(300);
    expect(fetched()).toEqual([name(2), name(3)]);
  });

  it('fetches nothing where the disk is nearly full', async () => {
    await store(name(2));
    await writeAsked(half, name(1));
    await using _agent = start(memory, { segments: 16, sizeBytes: Number.MAX_SAFE_INTEGER });
    await delay(400);
    expect(fetched()).toEqual([]);
  });

  it('hands over only what is whole: nothing of a damaged, foreign or misplaced segment', async () => {
    const put = (fileName: string, bytes: Uint8Array) =>
      memory.put(`wal_005/${fileName}.zst`, () => codec.encode([bytes] as never));
    await put(name(2), makeSegment({ fileName: name(2), systemIdentifier: 1n }));
    const tryOnce = async () => {
      const faulty = faultyStore(memory);
      await using _agent = start(faulty);
      await waitFor('the attempt', () => faulty.calls.some(({ member }) => member === 'get'));
      await waitFor('its end', () => readdirSync(join(half.path, 'claimed')).length === 0);
      expect(readdirSync(join(half.path, 'fetched'))).toEqual([]);
    };
    await writeAsked(half, name(1));
    await tryOnce();
    await memory.put(`wal_005/${name(2)}.zst`, new Uint8Array(100));
    await tryOnce();
    await put(name(2), makeSegment({ fileName: name(3) }));
    await tryOnce();
  });

  it('comes back, but not at once, after the store has failed', async () => {
    await store(name(2));
    await writeAsked(half, name(1));
    const begin = performance.now();
    await using _agent = start(faultyStore(memory, { kind: 'fail', member: 'get', call: 1 }));
    await waitFor('the segment', isFetched(name(2)));
    expect(performance.now() - begin).toBeGreaterThan(4_900);
  });

  it('uses what a dead agent has fetched', async () => {
    await store(name(2), name(3));
    writeFileSync(join(half.path, 'fetched', name(2)), makeSegment({ fileName: name(2) }));
    await writeAsked(half, name(1));
    const faulty = faultyStore(memory);
    await using _agent = start(faulty);
    await waitFor('the other one', isFetched(name(2), name(3)));
    expect(faulty.calls.filter(({ member }) => member === 'get')).toHaveLength(1);
  });

  it('leaves nothing unfinished when it is stopped', async () => {
    await store(name(2));
    await writeAsked(half, name(1));
    const gate = Promise.withResolvers<void>();
    {
      await using _agent = start(
        faultyStore(memory, { kind: 'hold', member: 'get', call: 1, until: () => gate.promise }),
      );
      await waitFor('the claim', () => readdirSync(join(half.path, 'claimed')).length === 1);
      setTimeout(() => gate.resolve(), 50);
    }
    expect([fetched(), readdirSync(join(half.path, 'claimed'))]).toEqual([[], []]);
  });

  it('ends when the spool is taken away', async () => {
    await writeAsked(half, name(1));
    const { ended } = start();
    rmSync(half.path, { recursive: true, maxRetries: 20 });
    await expect(ended).rejects.toThrow('ENOENT');
    expect(existsSync(half.path)).toBe(false);
  });
});

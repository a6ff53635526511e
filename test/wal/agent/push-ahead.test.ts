import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { describeError, StoreError } from '../../../src/errors.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { createActivity } from '../../../src/wal/agent/activity.ts';
import { pushAhead } from '../../../src/wal/agent/push-ahead.ts';
import { type Half, makeHalf } from '../../../src/wal/spool.ts';
import { readPushed } from '../../../src/wal/spool-notes.ts';
import { joined } from '../../support/byte-streams.ts';
import { faultyStore } from '../../support/faulty-store.ts';
import { startOtherProcess } from '../../support/other-process.ts';
import { type RunningWork, startWork } from '../../support/running-work.ts';
import { makeSpoolSpace, type SpoolSpace } from '../../support/spool-space.ts';
import { waitFor } from '../../support/wait-for.ts';
import { makeSegment } from '../../support/wal-segment.ts';

const name = (number: number) => `0000000100000000000000${number.toString(16).padStart(2, '0').toUpperCase()}`;
const codec = createCodec('zstd');

let space: SpoolSpace;
let half: Half;
let memory: ObjectStore;
const describeFailure = vi.fn(describeError);
beforeEach(async () => {
  describeFailure.mockClear();
  space = makeSpoolSpace();
  half = (await makeHalf(space.call('push'))) as Half;
  memory = createMemoryStore();
});
afterEach(() => space[Symbol.dispose]());

function start(store: ObjectStore = memory, jobs = 2): RunningWork {
  const options = {
    half,
    dataDirectory: space.dataDirectory,
    jobs,
    deadlineMs: 60_000,
    describe: describeFailure,
    activity: createActivity(),
  };
  return startWork((context) => pushAhead(createRepository(store, codec), options, context));
}

const pushed = () => readdirSync(join(half.path, 'pushed')).sort();
const inFlight = () => readdirSync(join(half.path, 'claimed'));
const failed = () => readdirSync(join(half.path, 'failed'));

async function stored(fileName: string): Promise<Buffer> {
  return await joined(codec.decode((await memory.get(`wal_005/${fileName}.zst`)).body));
}

describe('pushing ahead', () => {
  it('stores what waits and notes it, and goes on with what comes', async () => {
    const segments = [1, 2, 3].map((number) => space.addReady(name(number)));
    await using _agent = start();
    await waitFor('the first three', () => pushed().length === 3);
    space.addReady(name(4));
    await waitFor('the fourth', () => pushed().length === 4);
    expect(pushed()).toEqual([1, 2, 3, 4].map(name));
    for (const [index, bytes] of segments.entries()) expect((await stored(name(index + 1))).equals(bytes)).toBe(true);
    await waitFor('the claims to go', () => inFlight().length === 0);
    expect(failed()).toEqual([]);
    expect(await readPushed(half, name(1), join(space.walDirectory, name(1)))).toEqual([]);
  });

  it('begins with the timeline histories, then goes by name, as PostgreSQL does', async () => {
    for (const number of [9, 3, 5]) space.addReady(name(number));
    space.addReady('00000003.history', Buffer.from('1\t0/5000000\tno recovery target specified\n'));
    const location = `0/300028 (file ${name(3)})`;
    const label = `START WAL LOCATION: ${location}\nCHECKPOINT LOCATION: 0/300060\nSTOP WAL LOCATION: ${location}\n`;
    space.addReady(`${name(3)}.00000028.backup`, Buffer.from(label));
    const store = faultyStore(memory);
    await using _agent = start(store, 1);
    await waitFor('all of them', () => pushed().length === 5);
    const order = store.calls
      .filter(({ member }) => member === 'put')
      .map(({ key }) => key.replace(/^wal_005\/|\.zst$/g, ''));
    expect(order).toEqual(['00000003.history', name(3), `${name(3)}.00000028.backup`, name(5), name(9)]);
  });

  it('has no more files in flight than it has jobs', async () => {
    for (let number = 1; number <= 9; number += 1) space.addReady(name(number));
    const gate = Promise.withResolvers<void>();
    const holds = [1, 2, 3].map((call) => ({ kind: 'hold', member: 'put', call, until: () => gate.promise }) as const);
    await using _agent = start(faultyStore(memory, ...holds), 3);
    await waitFor('three', () => inFlight().length === 3);
    await delay(100);
    expect(inFlight().sort()).toEqual([1, 2, 3].map(name));
    gate.resolve();
    await waitFor('all of them', () => pushed().length === 9);
  });

  it('takes a note away when PostgreSQL has taken the file away', async () => {
    for (const number of [1, 2]) space.addReady(name(number));
    await using _agent = start();
    await waitFor('both', () => pushed().length === 2);
    space.archive(name(1));
    await waitFor('one note to go', () => pushed().length === 1);
    expect(pushed()).toEqual([name(2)]);
  });

  it('leaves a file to the process that has claimed it, and takes it when that is dead', async () => {
    await using other = await startOtherProcess();
    space.addReady(name(1));
    space.addReady(name(2));
    writeFileSync(join(half.path, 'claimed', name(1)), other.identity);
    await using _agent = start();
    await waitFor('the other one', () => pushed().length === 1);
    await delay(1_200);
    expect(pushed()).toEqual([name(2)]);
    await other.kill();
    await waitFor('the first one', () => pushed().length === 2);
  });

  it('does not push again what another process has noted meanwhile', async () => {
    space.addReady(name(1));
    const store = faultyStore(memory);
    await memory.put(`wal_005/${name(1)}.zst`, new Uint8Array(1));
    writeFileSync(join(half.path, 'pushed', name(1)), '');
    await using _agent = start(store);
    await delay(300);
    expect(store.calls).toEqual([]);
  });

  it('accepts what is stored already, and keeps the warning for the call that asks', async () => {
    space.addReady(name(1));
    await memory.put(`wal_005/${name(1)}.zst`, () => codec.encode([makeSegment({ fileName: name(1) })] as never));
    await using _agent = start();
    await waitFor('the note', () => pushed().length === 1);
    const warnings = await readPushed(half, name(1), join(space.walDirectory, name(1)));
    expect(warnings).toMatchObject([
      { message: 'archived already, with the same bytes', fields: { fileName: name(1) } },
    ]);
  });

  it('stores nothing when it is stopped in the middle, and leaves no claim', async () => {
    space.addReady(name(1));
    const gate = Promise.withResolvers<void>();
    {
      await using _agent = start(
        faultyStore(memory, { kind: 'hold', member: 'list', call: 1, until: () => gate.promise }),
      );
      await waitFor('the claim', () => inFlight().length === 1);
      setTimeout(() => gate.resolve(), 50);
    }
    expect([pushed(), inFlight(), failed()]).toEqual([[], [], []]);
    expect(await Array.fromAsync(memory.list(''))).toEqual([]);
  });

  it('ends when the spool is taken away', async () => {
    space.addReady(name(1));
    rmSync(half.path, { recursive: true, maxRetries: 20 });
    await expect(start().ended).rejects.toThrow('ENOENT');
  });

  it('ends when archive_status is taken away', async () => {
    rmSync(join(space.walDirectory, 'archive_status'), { recursive: true, maxRetries: 20 });
    await expect(start().ended).rejects.toThrow(/cannot list .*archive_status/);
  });
});

describe('pushing ahead when a push fails', () => {
  it('leaves word of it, begins nothing else, and tries that file again', async () => {
    const broken = new StoreError('the store is out of order', { retryable: false });
    for (const number of [1, 2, 3]) space.addReady(name(number));
    const store = faultyStore(memory, { kind: 'fail', member: 'put', call: 1, error: broken });
    await using _agent = start(store, 1);
    await waitFor('the word', () => failed().length === 1);
    expect(failed()).toEqual([name(1)]);
    await waitFor('all of them', () => pushed().length === 3);
    const tried = store.calls.filter(({ member }) => member === 'put').map(({ key }) => key);
    expect(tried).toEqual([1, 1, 2, 3].map((number) => `wal_005/${name(number)}.zst`));
  });

  it('tries a file before it, which a call of PostgreSQL had in flight, and leaves word of that one, too', async () => {
    const broken = new StoreError('the store is out of order', { retryable: false });
    await using call = await startOtherProcess();
    for (const number of [1, 2, 3]) space.addReady(name(number));
    writeFileSync(join(half.path, 'claimed', name(1)), call.identity);
    const faults = Array.from(
      { length: 9 },
      (_, index) => ({ kind: 'fail', member: 'put', call: index + 1, error: broken }) as const,
    );
    await using _agent = start(faultyStore(memory, ...faults), 1);
    await waitFor('word of the second', () => failed().includes(name(2)));
    await call.kill();
    await waitFor('word of the first', () => failed().includes(name(1)));
    expect([pushed(), failed().sort()]).toEqual([[], [name(1), name(2)]]);
  });

  it('goes on when somebody else gets the file through', async () => {
    const broken = new StoreError('the store is out of order', { retryable: false });
    for (const number of [1, 2]) space.addReady(name(number));
    const faults = Array.from(
      { length: 3 },
      (_, index) => ({ kind: 'fail', member: 'put', call: index + 1, error: broken }) as const,
    );
    await using _agent = start(faultyStore(memory, ...faults), 1);
    await waitFor('the word', () => failed().length === 1);
    space.archive(name(1));
    rmSync(join(space.walDirectory, name(1)));
    await waitFor('the next one', () => failed().includes(name(2)) || pushed().includes(name(2)));
  });

  it('says nothing of a file that PostgreSQL has taken away', async () => {
    space.addReady(name(1));
    const gate = Promise.withResolvers<void>();
    const store = faultyStore(memory, { kind: 'hold', member: 'list', call: 1, until: () => gate.promise });
    await using _agent = start(store);
    await waitFor('the push', () => store.calls.length > 0);
    space.archive(name(1));
    rmSync(join(space.walDirectory, name(1)));
    gate.resolve();
    await waitFor('the claim to go', () => inFlight().length === 0);
    expect(describeFailure).not.toHaveBeenCalled();
    expect([pushed(), failed()]).toEqual([[], []]);
    expect(await Array.fromAsync(memory.list(''))).toEqual([]);
  });

  it.each([
    ['is damaged', (path: string) => writeFileSync(path, new Uint8Array(1024 * 1024))],
    ['is of another cluster in size', (path: string) => writeFileSync(path, new Uint8Array(10))],
    [
      'is a directory',
      (path: string) => {
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])('stores nothing of a file that %s', async (_what, spoil) => {
    space.addReady(name(1));
    spoil(join(space.walDirectory, name(1)));
    await using _agent = start();
    await waitFor('the word', () => failed().length === 1);
    expect(await Array.fromAsync(memory.list(''))).toEqual([]);
  });

  it('notes nothing about a file that changed after it was stored', async () => {
    space.addReady(name(1));
    await using _agent = start();
    await waitFor('the note', () => pushed().length === 1);
    const path = join(space.walDirectory, name(1));
    utimesSync(path, new Date(), new Date());
    expect(await readPushed(half, name(1), path)).toBeUndefined();
    expect(existsSync(path)).toBe(true);
  });
});

import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { type Context, createContext, systemClock } from '../../../src/context.ts';
import { BusyError, describeError } from '../../../src/errors.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { orAbort } from '../../../src/util/abortable.ts';
import { type AgentEnd, runAgent } from '../../../src/wal/agent/agent.ts';
import { findHalf, type Half, makeHalf, type SpoolCall } from '../../../src/wal/spool.ts';
import { faultyStore } from '../../support/faulty-store.ts';
import { startOtherProcess } from '../../support/other-process.ts';
import { makeSpoolSpace, type SpoolSpace } from '../../support/spool-space.ts';
import { controlFileOf } from '../../support/stored-backup.ts';
import { waitFor } from '../../support/wait-for.ts';
import { makeSegment, testSystemIdentifier } from '../../support/wal-segment.ts';

const mib = 1024 * 1024;
const [first, second, third] = ['000000010000000000000001', '000000010000000000000002', '000000010000000000000003'];
const codec = createCodec('zstd');

let space: SpoolSpace;
let call: SpoolCall;
let memory: ObjectStore;
beforeEach(() => {
  space = makeSpoolSpace();
  mkdirSync(space.path('global'));
  writeFileSync(space.path('global', 'pg_control'), controlFileOf(testSystemIdentifier, mib));
  call = space.call('push');
  memory = createMemoryStore();
});
afterEach(async () => {
  // One that goes on keeps the lock of its half, and a new directory may get the number of the one that is removed here.
  for (const { end, ended } of agents.splice(0)) {
    end.abort();
    await ended.catch(() => undefined);
  }
  space[Symbol.dispose]();
});

/** The agent looks every second whether it should go on; here ten times as often. */
const hurriedClock: Context['clock'] = {
  now: systemClock.now,
  sleep: (ms, signal) => systemClock.sleep(ms / 10, signal),
};

/** Time does not pass here, so that only what is seen at once is seen. */
const haltedClock: Context['clock'] = {
  now: systemClock.now,
  sleep: (_ms, signal) => systemClock.sleep(86_400_000, signal),
};

interface RunningAgent {
  readonly end: AbortController;
  readonly ended: Promise<AgentEnd>;
}

const agents: RunningAgent[] = [];

function start(
  changes: { call?: SpoolCall; idleMs?: number; store?: ObjectStore; clock?: Context['clock'] } = {},
): RunningAgent {
  const end = new AbortController();
  const options = {
    call: changes.call ?? call,
    jobs: 2,
    pushDeadlineMs: 86_400_000,
    idleMs: changes.idleMs ?? 86_400_000,
    window: { segments: 4, sizeBytes: 64 * mib },
    describe: describeError,
  };
  const context = createContext({ signal: end.signal, clock: changes.clock ?? hurriedClock });
  const ended = runAgent(createRepository(changes.store ?? memory, codec), options, context);
  ended.catch(() => undefined);
  agents.push({ end, ended });
  return { end, ended };
}

async function startedHalf(of: SpoolCall = call): Promise<Half> {
  return await waitFor('the agent', async () => {
    const half = await findHalf(of);
    return half !== undefined && existsSync(join(half.path, 'agent')) ? half : undefined;
  });
}

const pushed = (half: Half) => (existsSync(half.path) ? readdirSync(join(half.path, 'pushed')).sort() : []);

describe('the agent', () => {
  it('ends when it is told to, and takes the half with it when nothing is noted there', async () => {
    const { end, ended } = start();
    const half = await startedHalf();
    end.abort();
    expect(await ended).toBe('told to');
    expect(existsSync(half.path)).toBe(false);
  });

  it('leaves the notes of durable files to the calls that come', async () => {
    space.addReady(first);
    const { end, ended } = start();
    const half = await startedHalf();
    await waitFor('the note', () => pushed(half).length === 1);
    end.abort();
    await ended;
    expect(readdirSync(half.path).sort()).toEqual(['claimed', 'failed', 'pushed', 'times']);
    expect(pushed(half)).toEqual([first]);
  });

  it('leaves nothing of what it has fetched ahead', async () => {
    call = space.call('fetch');
    const { end, ended } = start();
    const half = await startedHalf();
    writeFileSync(join(half.path, 'fetched', first), makeSegment({ fileName: first }));
    end.abort();
    await ended;
    expect(existsSync(half.path)).toBe(false);
  });

  it('ends after it has had nothing to do for a while', async () => {
    const begin = performance.now();
    const { ended } = start({ idleMs: 5_000 });
    expect(await ended).toBe('idle');
    expect(performance.now() - begin).toBeGreaterThan(500);
  });

  it('has something to do as long as a push lasts', async () => {
    space.addReady(first);
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const until = async () => {
      begun.resolve();
      await gate.promise;
    };
    const store = faultyStore(memory, { kind: 'hold', member: 'put', call: 1, until });
    let looks = 0;
    const sleep: Context['clock']['sleep'] = async (ms, signal) => {
      await orAbort(() => begun.promise, signal);
      // The agent itself and what pushes ahead look every second; two or three looks without anything to do are the end.
      if (ms === 1_000 && ++looks === 12) gate.resolve();
      await hurriedClock.sleep(ms, signal);
    };
    const { ended } = start({ idleMs: 1_000, store, clock: { now: systemClock.now, sleep } });
    const half = await startedHalf();
    await waitFor('the note', () => pushed(half).length === 1);
    expect(await ended).toBe('idle');
  });

  it('counts the time that it has nothing to do by itself, so a clock that is set changes nothing', async () => {
    let jumpMs = 0;
    const clock = { sleep: hurriedClock.sleep, now: () => new Date(Date.now() + jumpMs) };
    const { ended, end } = start({ clock });
    const half = await startedHalf();
    jumpMs = 86_400_000;
    space.addReady(first);
    await waitFor('the note', () => pushed(half).length === 1);
    jumpMs = -86_400_000;
    space.addReady(second);
    await waitFor('the other note', () => pushed(half).length === 2);
    end.abort();
    await ended;
  });

  it.each([
    ['calls come with other settings', async () => void (await makeHalf({ ...call, settings: 'others' }))],
    [
      'the spool is removed',
      () => rmSync(space.path('pg_wal', 'pgsql_tmp_seawall'), { recursive: true, maxRetries: 20 }),
    ],
    [
      'another process says that it is the agent',
      async () => {
        const half = await startedHalf();
        writeFileSync(join(half.path, 'agent'), '1 1\n');
      },
    ],
  ])('ends when %s', async (_what, happen) => {
    const { ended } = start();
    const half = await startedHalf();
    await happen();
    await ended.catch(() => undefined);
    expect(existsSync(half.path)).toBe(false);
  });

  it.each([
    ['is started anew', () => space.startServer(1_795_248_100)],
    ['ends', () => rmSync(space.path('postmaster.pid'))],
  ])('ends at once when the server %s, and touches nothing any more', async (_what, happen) => {
    space.addReady(first);
    const { ended } = start({ clock: haltedClock });
    const half = await startedHalf();
    await waitFor('the note', () => pushed(half).length === 1);
    happen();
    expect(await ended).toBe('replaced');
    expect(pushed(half)).toEqual([first]);
    expect(existsSync(join(half.path, 'agent'))).toBe(true);
  });

  it('ends when the configuration file changes', async () => {
    const config = space.path('config.yaml');
    writeFileSync(config, '');
    call = space.call('push', { settingsFiles: [config] });
    Object.defineProperty(performance, 'timeOrigin', { value: Date.now() + 60_000, configurable: true });
    try {
      const { ended } = start();
      await startedHalf();
      utimesSync(config, 1, 1);
      expect(await ended).toBe('replaced');
    } finally {
      Reflect.deleteProperty(performance, 'timeOrigin');
    }
  });

  it('leaves at once where there is another one', async () => {
    const one = start();
    const half = await startedHalf();
    const two = start();
    await expect(two.ended).rejects.toThrow(BusyError);
    await expect(two.ended).rejects.toThrow(/another agent/);
    expect(existsSync(join(half.path, 'agent'))).toBe(true);
    const other = start({ call: space.call('fetch') });
    await startedHalf(space.call('fetch'));
    for (const { end, ended } of [one, other]) {
      end.abort();
      expect(await ended).toBe('told to');
    }
  });

  it('leaves at once where no server runs', async () => {
    rmSync(space.path('postmaster.pid'));
    await expect(start().ended).rejects.toThrow(/no running server/);
  });

  it('sweeps the spools of former runs, other halves, dead claims and unfinished fetches, and nothing else', async () => {
    const root = space.path('pg_wal', 'pgsql_tmp_seawall');
    space.startServer(1_795_000_000);
    await makeHalf(call);
    space.startServer(1_795_248_000);
    const other = (await makeHalf({ ...call, settings: 'others' })) as Half;
    const half = (await makeHalf(call)) as Half;
    const fetchHalf = (await makeHalf(space.call('fetch'))) as Half;
    await using process = await startOtherProcess();
    writeFileSync(join(half.path, 'claimed', first), process.identity);
    writeFileSync(join(half.path, 'claimed', second), '1 1\n');
    mkdirSync(join(root, 'not ours'));
    symlinkSync(space.dataDirectory, join(root, 'link'));
    writeFileSync(join(fetchHalf.path, 'fetched', 'pgsql_tmp_seawall.tmp.20260131T235959Z-0123456789abcdef'), '');
    const both = [start(), start({ call: space.call('fetch') })];
    await startedHalf();
    await startedHalf(space.call('fetch'));
    await waitFor('the sweep', () => readdirSync(join(fetchHalf.path, 'fetched')).length === 0);
    await waitFor('the claims', () => readdirSync(join(half.path, 'claimed')).length === 1);
    expect(
      readdirSync(root)
        .filter((name) => !half.path.includes(name))
        .sort(),
    ).toEqual(['link', 'not ours']);
    expect(existsSync(other.path)).toBe(false);
    expect(existsSync(space.path('pg_wal', 'archive_status'))).toBe(true);
    expect(readdirSync(join(half.path, 'claimed'))).toEqual([first]);
    expect(readdirSync(dirname(half.path)).sort()).toHaveLength(4);
    for (const { end, ended } of both) {
      end.abort();
      await ended;
    }
  });

  it('goes on where a former one was killed', async () => {
    const half = (await makeHalf(call)) as Half;
    for (const fileName of [first, second, third]) space.addReady(fileName);
    writeFileSync(join(half.path, 'agent'), '1 1\n');
    writeFileSync(join(half.path, 'claimed', first), '1 1\n');
    writeFileSync(join(half.path, `pushed.${second}`), '');
    const { end, ended } = start();
    await waitFor('all of them', () => pushed(half).length === 3);
    end.abort();
    await ended;
  });
});

import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCodec } from '../../../src/codec/codecs.ts';
import { type Clock, createContext, silentLogger, systemClock } from '../../../src/context.ts';
import { BusyError, LocalFileError, StoreError, UsageError } from '../../../src/errors.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { createMemoryStore } from '../../../src/storage/drivers/memory.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { type DaemonOptions, runDaemon } from '../../../src/wal/daemon/daemon.ts';
import { walLikeBytes } from '../../support/byte-streams.ts';
import { askDaemon, checkFrame, connectToDaemon, fetchFrame, frame, pushFrame } from '../../support/daemon-client.ts';
import { faultyStore } from '../../support/faulty-store.ts';
import { waitFor } from '../../support/wait-for.ts';
import { makeSegment } from '../../support/wal-segment.ts';

const fileName = '000000010000000000000002';
const nextName = '000000010000000000000003';
const segment = makeSegment({ fileName, content: walLikeBytes(300_000) });
const nextSegment = makeSegment({ fileName: nextName, content: walLikeBytes(200_000) });
const outage = new StoreError('the store is out of order', { retryable: true });

let folder: string;
let dataDirectory: string;
let socketPath: string;
let store: ObjectStore;
const warn = vi.fn();
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-daemon-'));
  dataDirectory = join(folder, 'data');
  socketPath = join(folder, 'socket');
  await mkdir(join(dataDirectory, 'pg_wal'), { recursive: true });
  await writeFile(join(dataDirectory, 'pg_wal', fileName), segment);
  store = createMemoryStore();
  warn.mockReset();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await rm(folder, { recursive: true });
});

const longMs = 86_400_000;

/**
 * A clock with some waits of other lengths. Five seconds, after which a client is tried to be served once more and what hangs is left
 * behind, take a moment; ten, after which half a request, a push and a fetch are given up, take longer than a machine stalls.
 */
function clockWith(lengths: (ms: number) => number | undefined = () => undefined): Clock {
  const usual: Readonly<Record<number, number>> = { 5000: 50, 10000: 60_000 };
  return {
    now: systemClock.now,
    sleep: (ms, signal) => systemClock.sleep(lengths(ms) ?? usual[ms] ?? ms, signal),
  };
}

interface RunningDaemon {
  readonly ended: Promise<void>;
  stop(): void;
}

function launch(
  differing: Partial<DaemonOptions> = {},
  from: ObjectStore = store,
  clock: Clock = clockWith(),
): RunningDaemon {
  const stopping = new AbortController();
  const options: DaemonOptions = {
    socketPath,
    dataDirectory,
    pushDeadlineMs: 10_000,
    fetchDeadlineMs: 10_000,
    fetchOnUndecided: 'auto',
    jobs: 2,
    spoolFor: () => undefined,
    describe: (error) => (error instanceof Error ? error.message : String(error)),
    ...differing,
  };
  const context = createContext({ signal: stopping.signal, log: { ...silentLogger, warn }, clock });
  const ended = runDaemon(createRepository(from, createCodec('zstd')), options, context);
  return { ended, stop: () => stopping.abort() };
}

/** Starts a daemon that serves until the test ends, or until the function is called, which resolves when it has ended. */
async function start(...[differing, from, clock]: Parameters<typeof launch>): Promise<() => Promise<void>> {
  const { ended, stop } = launch(differing, from, clock);
  const stopAndWait = async () => {
    stop();
    await ended;
  };
  await Promise.race([ended, waitFor('the daemon to listen', isListening)]);
  stops.push(stopAndWait);
  return stopAndWait;
}

async function isListening(): Promise<boolean> {
  return await askDaemon(socketPath, checkFrame()).then(
    (answer) => answer === 'O',
    () => false,
  );
}

const destination = 'pg_wal/RECOVERYXLOG';
const fetched = () => readFile(join(dataDirectory, destination));

describe('the daemon', () => {
  it('answers the very bytes of WAL-G’s own example with OO, and closes the connection', async () => {
    await start();
    const client = await connectToDaemon(socketPath);
    client.socket.write(Buffer.concat([checkFrame(), pushFrame(fileName)]));
    expect(await client.all).toBe('OO');
    expect(await Array.fromAsync(store.list(''), ({ key }) => key)).toEqual([`wal_005/${fileName}.zst`]);
  });

  it('takes a request in as many pieces as it likes to come', async () => {
    await start();
    const client = await connectToDaemon(socketPath);
    for (const byte of Buffer.concat([checkFrame(), checkFrame(), pushFrame(`pg_wal/${fileName}`)])) {
      client.socket.write(Buffer.from([byte]));
      await delay(1);
    }
    expect(await client.all).toBe('OOO');
  });

  it('answers a client that has closed its half of the connection', async () => {
    await start();
    const client = await connectToDaemon(socketPath);
    client.socket.end(pushFrame(fileName));
    expect(await client.all).toBe('O');
  });

  it('gives WAL-RUS’s client, which waits for more than the one character, the frame that it expects', async () => {
    await start();
    const client = await connectToDaemon(socketPath);
    client.socket.write(frame('C', Buffer.alloc(0)));
    await waitFor('the whole frame', () => client.received().length === 3);
    expect(client.received()).toBe('O\0\x03');
    client.socket.write(pushFrame(fileName));
    expect(await client.all).toBe('O\0\x03O\0\x03');
    expect(await askDaemon(socketPath, fetchFrame(fileName, destination))).toBe('O');
  });

  it('gives a client that thinks a while after its check the answer to what it asks then', async () => {
    await start(
      {},
      store,
      clockWith((ms) => (ms === 1_000 ? longMs : undefined)),
    );
    const client = await connectToDaemon(socketPath);
    client.socket.write(frame('C', Buffer.alloc(0)));
    expect(await client.answer).toBe('O');
    await delay(200);
    expect(client.received()).toBe('O');
    client.socket.write(pushFrame(fileName));
    await waitFor('the second answer', () => client.received().startsWith('OO'));
    client.socket.destroy();
  });

  it('serves two hundred clients at once', async () => {
    await start();
    const clients = await Promise.all(Array.from({ length: 200 }, () => connectToDaemon(socketPath)));
    for (const client of clients) client.socket.write(checkFrame());
    expect(await Promise.all(clients.map((client) => client.answer))).toEqual(clients.map(() => 'O'));
    for (const client of clients) client.socket.destroy();
  });

  it('fetches to a place in the data directory', async () => {
    await start();
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
    expect(await askDaemon(socketPath, fetchFrame(fileName, destination))).toBe('O');
    expect((await fetched()).equals(segment)).toBe(true);
    expect(await askDaemon(socketPath, fetchFrame(fileName, join(dataDirectory, 'pg_wal/other')))).toBe('O');
    expect(warn).not.toHaveBeenCalled();
  });

  it('answers N only for what the repository proves to be absent', async () => {
    await start();
    // An empty repository proves nothing: it may be the wrong one. A client that has ended is not kept waiting.
    const client = await connectToDaemon(socketPath);
    client.socket.end(fetchFrame(fileName, destination));
    expect(await client.all).toBe('E');

    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
    expect(await askDaemon(socketPath, fetchFrame(nextName, destination))).toBe('N');
    expect(await askDaemon(socketPath, fetchFrame('00000002.history', destination))).toBe('N');
    expect(await readdir(join(dataDirectory, 'pg_wal'))).toEqual([fileName]);
  });

  it.each([
    ['a push of what is no WAL file', pushFrame('postgresql.conf')],
    ['a push from elsewhere', pushFrame(`../${fileName}`)],
    ['a push of a file that is not there', pushFrame(nextName)],
    ['a fetch of what is no WAL file', fetchFrame('../x', destination)],
    ['a fetch to elsewhere', fetchFrame(fileName, '../x')],
    ['a fetch over the data directory', fetchFrame(fileName, '.')],
    ['a frame of unknown type', frame('O', Buffer.alloc(0))],
    ['a frame shorter than its header', Buffer.from([0x46, 0, 1])],
    ['a frame of 64 KiB', frame('F', Buffer.alloc(65_532, 'x'))],
    ['what is no frame at all', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(800))],
  ])('answers %s with E and a line in its log, and goes on', async (_, request) => {
    await start();
    expect(await askDaemon(socketPath, request)).toBe('E');
    expect(warn).toHaveBeenCalledOnce();
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
  });

  it('answers E when the push fails, and when another file is stored under that name', async () => {
    await start({}, faultyStore(store, { member: 'put', call: 1, kind: 'fail', error: outage }));
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('E');
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
    const changed = Buffer.from(segment);
    changed[500_000] = 1;
    await writeFile(join(dataDirectory, 'pg_wal', fileName), changed);
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('E');
  });

  it('answers E to a push that does not finish in time', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const fault = { member: 'put', call: 1, kind: 'hold', until: () => held } as const;
    let deadlines = 0;
    const clock = clockWith((ms) => (ms === 100 && ++deadlines > 1 ? longMs : undefined));
    await start({ pushDeadlineMs: 100 }, faultyStore(store, fault), clock);
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('E');
    expect(warn.mock.lastCall?.[0].failure).toContain('did not finish within 100 ms');
    letGo();
    expect(await askDaemon(socketPath, pushFrame(fileName))).toBe('O');
  });

  it('serves several clients at a time', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    await writeFile(join(dataDirectory, 'pg_wal', nextName), nextSegment);
    const holding = faultyStore(store, { member: 'put', call: 1, kind: 'hold', until: () => held });
    await start({}, holding);
    const first = askDaemon(socketPath, pushFrame(fileName));
    await waitFor('the first push', () => holding.calls.some(({ member }) => member === 'put'));
    expect(await askDaemon(socketPath, pushFrame(nextName))).toBe('O');
    letGo();
    expect(await first).toBe('O');
  });

  it('does not mind a client that goes away amid its request, or before the answer', async () => {
    await start();
    const half = await connectToDaemon(socketPath);
    half.socket.end(pushFrame(fileName).subarray(0, 10));
    expect(await half.all).toBe('');
    const gone = await connectToDaemon(socketPath);
    gone.socket.write(pushFrame(fileName));
    gone.socket.destroy();
    await waitFor('the segment', async () => (await Array.fromAsync(store.list(''))).length === 1);
    expect(await askDaemon(socketPath, checkFrame())).toBe('O');
  });

  it('keeps recovery waiting while the repository gives no clear answer, and fetches when it does', async () => {
    const stop = await start();
    await askDaemon(socketPath, pushFrame(fileName));
    await stop();
    let isBroken = true;
    const broken: ObjectStore = {
      ...store,
      get: (key, options) => (isBroken ? Promise.reject(outage) : store.get(key, options)),
    };
    const clock = clockWith((ms) => (ms === 300 && !isBroken ? longMs : undefined));
    await start({ fetchDeadlineMs: 300 }, broken, clock);
    const client = await connectToDaemon(socketPath);
    client.socket.write(fetchFrame(fileName, destination));
    await waitFor('the first round to end', () => warn.mock.calls.length > 0);
    expect(client.received()).toBe('');
    isBroken = false;
    expect(await client.answer).toBe('O');
    expect((await fetched()).equals(segment)).toBe(true);
  });

  it.each([
    ['on a standby', true, {}],
    ['where absent is what an undecided fetch says', false, { fetchOnUndecided: 'absent' }],
  ] as const)('answers E %s when there is no clear answer in time', async (_, isStandby, differing) => {
    if (isStandby) await mkdir(join(dataDirectory, 'standby.signal'));
    const faults = Array.from(
      { length: 99 },
      (__, index) => ({ call: index + 1, kind: 'fail', error: outage }) as const,
    );
    await start({ fetchDeadlineMs: 200, ...differing }, faultyStore(store, ...faults));
    expect(await askDaemon(socketPath, fetchFrame(fileName, destination))).toBe('E');
  });

  it('gives up a fetch when the next one wants the same place, which then holds what was asked for last', async () => {
    await writeFile(join(dataDirectory, 'pg_wal', nextName), nextSegment);
    const stop = await start();
    for (const name of [fileName, nextName]) expect(await askDaemon(socketPath, pushFrame(name))).toBe('O');
    await stop();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const holding: ObjectStore = {
      ...store,
      get: async (key, options) => {
        if (key.includes(fileName) && options?.signal !== undefined) {
          begin();
          await once(options.signal, 'abort');
        }
        return await store.get(key);
      },
    };
    await start({}, holding);
    const first = await connectToDaemon(socketPath);
    first.socket.write(fetchFrame(fileName, destination));
    await begun;
    const second = askDaemon(socketPath, fetchFrame(nextName, destination));
    expect(await second).toBe('O');
    expect(await first.answer).toBe('E');
    expect((await fetched()).equals(nextSegment)).toBe(true);
  });

  it('ends when it is told to, after the requests under way, and takes its socket away', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const holding = faultyStore(store, { member: 'put', call: 1, kind: 'hold', until: () => held });
    const stop = await start({}, holding);
    const idle = await connectToDaemon(socketPath);
    const pushing = askDaemon(socketPath, pushFrame(fileName));
    await waitFor('the push', () => holding.calls.some(({ member }) => member === 'put'));
    const stopped = stop();
    expect(await idle.all).toBe('');
    await expect(connectToDaemon(socketPath)).rejects.toThrow();
    letGo();
    expect(await pushing).toBe('O');
    await stopped;
    await expect(stat(socketPath)).rejects.toThrow('ENOENT');
  });

  it('ends although a client waits for a clear answer', async () => {
    const faults = Array.from(
      { length: 999 },
      (_, index) => ({ call: index + 1, kind: 'fail', error: outage }) as const,
    );
    const stop = await start({ fetchDeadlineMs: 200 }, faultyStore(store, ...faults));
    const waiting = askDaemon(socketPath, fetchFrame(fileName, destination));
    await waitFor('the first round to end', () => warn.mock.calls.length > 0);
    await stop();
    expect(await waiting).toBe('E');
  });

  it('lets nobody but its own user in', async () => {
    await start();
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  });

  it('takes the place of a socket that a killed daemon has left, and of nothing else', async () => {
    const abandoned = createServer((socket) => socket.destroy()).listen(socketPath);
    await once(abandoned, 'listening');
    await expect(launch().ended).rejects.toThrow(`cannot listen on ${socketPath}: another daemon does`);
    // Closing a listener removes its socket, and killing it does not.
    const kept = join(folder, 'kept');
    await link(socketPath, kept);
    abandoned.close();
    await once(abandoned, 'close');
    await rename(kept, socketPath);
    await start();
    await expect(launch().ended).rejects.toThrow(BusyError);

    const file = join(folder, 'file');
    await writeFile(file, 'precious');
    await expect(launch({ socketPath: file }).ended).rejects.toThrow(LocalFileError);
    expect(await readFile(file, 'utf8')).toBe('precious');
    await expect(launch({ socketPath: join(folder, 'x'.repeat(200)) }).ended).rejects.toThrow(UsageError);
    await expect(launch({ socketPath: join(folder, 'missing/socket') }).ended).rejects.toThrow(LocalFileError);
  });
});

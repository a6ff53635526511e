import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createContext, systemClock } from '../../src/context.ts';
import { NotFoundError } from '../../src/errors.ts';
import { fetchWithAgent } from '../../src/wal/fetch-with-agent.ts';
import { findHalf, type Half, makeHalf, type SpoolCall, spoolName } from '../../src/wal/spool.ts';
import { readAsked } from '../../src/wal/spool-asked.ts';
import { type OtherProcess, startOtherProcess } from '../support/other-process.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';
import { waitFor } from '../support/wait-for.ts';

const fileName = '000000010000000000000002';

let space: SpoolSpace;
let call: SpoolCall;
let destination: string;
let started: string;
const fetch = vi.fn<() => Promise<void>>();
const warn = vi.fn();

beforeEach(() => {
  space = makeSpoolSpace();
  call = space.call('fetch');
  destination = join(space.walDirectory, 'RECOVERYXLOG');
  started = space.path('the agent was started');
  fetch.mockReset().mockImplementation(async () => writeFileSync(destination, 'from the repository'));
  warn.mockReset();
});
afterEach(() => space[Symbol.dispose]());

async function run(clock = systemClock): Promise<void> {
  const log = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
  const agent = {
    command: ['touch', started],
    environment: { PATH: process.env['PATH'] },
    directory: space.dataDirectory,
  };
  await fetchWithAgent({ call, fileName, destination, agent, fetch }, createContext({ log, clock }));
}

async function madeHalf(): Promise<Half> {
  return (await makeHalf(call)) as Half;
}

const delivered = () => readFileSync(destination, 'utf8');

describe('a cold wal-fetch', () => {
  it('fetches its segment, then starts an agent that goes on behind it', async () => {
    await run();
    expect(delivered()).toBe('from the repository');
    await waitFor('the agent', () => existsSync(started));
    expect(await readAsked((await findHalf(call)) as Half)).toMatchObject({ fileName });
  });

  it('starts none at the end of the archive, and learns of that end from the repository alone', async () => {
    fetch.mockRejectedValue(new NotFoundError('it is not there'));
    await expect(run()).rejects.toThrow(NotFoundError);
    expect(existsSync(space.path('pg_wal', spoolName))).toBe(false);
    await madeHalf();
    await expect(run()).rejects.toThrow(NotFoundError);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(existsSync(started)).toBe(false);
  });

  it('starts none beside another one, but tells that where recovery is', async () => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    writeFileSync(join(half.path, 'agent'), other.identity);
    await run();
    await other.stop();
    await run();
    expect(existsSync(started)).toBe(false);
    expect(await readAsked(half)).toMatchObject({ fileName });
  });

  it('does its work with one warning where the spool cannot be used', async () => {
    symlinkSync(space.dataDirectory, space.path('pg_wal', spoolName));
    await run();
    expect(delivered()).toBe('from the repository');
    expect(warn).toHaveBeenCalledOnce();
  });
});

describe('wal-fetch beside an agent', () => {
  const putFetched = (half: Half) => writeFileSync(join(half.path, 'fetched', fileName), 'from the spool');

  it('takes the segment that is fetched', async () => {
    const half = await madeHalf();
    putFetched(half);
    await run();
    expect([delivered(), readdirSync(join(half.path, 'fetched')), fetch.mock.calls]).toEqual([
      'from the spool',
      [],
      [],
    ]);
    expect(await readAsked(half)).toBeUndefined();
  });

  it('waits for the segment that is in flight', async () => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    writeFileSync(join(half.path, 'claimed', fileName), other.identity);
    setTimeout(() => putFetched(half), 100);
    await run();
    expect([delivered(), fetch.mock.calls]).toEqual(['from the spool', []]);
  });

  it.each([
    ['dies', (other: OtherProcess) => other.kill()],
    ['is stopped', (other: OtherProcess) => other.stop()],
    ['gives the segment up', async (_: OtherProcess, half: Half) => rmSync(join(half.path, 'claimed', fileName))],
    ['loses its spool', async (_: OtherProcess, half: Half) => rmSync(half.path, { recursive: true, maxRetries: 20 })],
  ])('does the work itself at once when the agent %s', async (_what, happen) => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    writeFileSync(join(half.path, 'claimed', fileName), other.identity);
    const happened = delay(50).then(() => happen(other, half));
    await run();
    await happened;
    expect(delivered()).toBe('from the repository');
  });

  it('does the work itself when the segment is in flight for a minute', async () => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    writeFileSync(join(half.path, 'claimed', fileName), other.identity);
    const begin = performance.now();
    {
      using now = vi.spyOn(performance, 'now').mockImplementation(() => begin);
      const clock = { ...systemClock, sleep: async () => void now.mockImplementation(() => begin + 61_000) };
      await run(clock);
    }
    expect(delivered()).toBe('from the repository');
  });

  it('takes no link and no directory for a segment', async () => {
    const half = await madeHalf();
    symlinkSync(space.path('postmaster.pid'), join(half.path, 'fetched', fileName));
    await run();
    expect(delivered()).toBe('from the repository');
    rmSync(join(half.path, 'fetched', fileName));
    mkdirSync(join(half.path, 'fetched', fileName));
    rmSync(destination);
    await run();
    expect(delivered()).toBe('from the repository');
  });
});

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createContext, systemClock } from '../../src/context.ts';
import type { PushResult } from '../../src/wal/push.ts';
import { pushWithAgent } from '../../src/wal/push-with-agent.ts';
import { findHalf, type Half, makeHalf, type SpoolCall, spoolName } from '../../src/wal/spool.ts';
import { noteFailed, notePushed } from '../../src/wal/spool-notes.ts';
import { type OtherProcess, startOtherProcess } from '../support/other-process.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';
import { waitFor } from '../support/wait-for.ts';

const [fileName, nextFile] = ['000000010000000000000002', '000000010000000000000003'];

let space: SpoolSpace;
let call: SpoolCall;
let path: string;
let started: string;
const push = vi.fn<() => Promise<PushResult>>();
const warn = vi.fn();

beforeEach(() => {
  space = makeSpoolSpace();
  call = space.call('push');
  path = join(space.walDirectory, fileName);
  started = space.path('the agent was started');
  space.addReady(fileName);
  const modifiedAt = statSync(path).mtime;
  push.mockReset().mockResolvedValue({ fileName, key: '', outcome: 'stored', sizeBytes: 1, modifiedAt });
  warn.mockReset();
});
afterEach(() => space[Symbol.dispose]());

async function run(signal = new AbortController().signal, clock = systemClock): Promise<void> {
  const log = { debug: vi.fn(), info: vi.fn(), warn, error: vi.fn() };
  const agent = {
    command: ['touch', started],
    environment: { PATH: process.env['PATH'] },
    directory: space.dataDirectory,
  };
  await pushWithAgent({ call, path, agent, push }, createContext({ log, signal, clock }));
}

async function madeHalf(): Promise<Half> {
  return (await makeHalf(call)) as Half;
}

function claimBy(half: Half, other: OtherProcess, name = fileName): void {
  writeFileSync(join(half.path, 'claimed', name), other.identity);
}

function note(half: Half, warnings: readonly { fields: object; message: string }[] = []): Promise<void> {
  return notePushed(half, fileName, { modifiedAt: statSync(path).mtime, warnings });
}

const agentWasStarted = () => existsSync(started);

describe('a cold wal-push', () => {
  it('pushes its file and nothing more when no other file waits', async () => {
    await run();
    expect(push).toHaveBeenCalledOnce();
    expect(existsSync(space.path('pg_wal', spoolName))).toBe(false);
  });

  it('starts an agent when other files wait, and notes its own file for it', async () => {
    space.addReady(nextFile);
    let claimed: string[] = [];
    push.mockImplementation(async () => {
      claimed = readdirSync(join(((await findHalf(call)) as Half).path, 'claimed'));
      return { fileName, key: '', outcome: 'stored', sizeBytes: 1, modifiedAt: statSync(path).mtime };
    });
    await run();
    await waitFor('the agent', agentWasStarted);
    const half = (await findHalf(call)) as Half;
    expect(claimed).toEqual([fileName]);
    expect(readdirSync(join(half.path, 'pushed'))).toEqual([fileName]);
    expect(readdirSync(join(half.path, 'claimed'))).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('starts no second agent, not even beside one that is stopped', async () => {
    space.addReady(nextFile);
    await using other = await startOtherProcess();
    const half = await madeHalf();
    writeFileSync(join(half.path, 'agent'), other.identity);
    const runAnew = async () => {
      rmSync(join(half.path, 'pushed', fileName), { force: true });
      await run();
    };
    await runAnew();
    await other.stop();
    await runAnew();
    expect(agentWasStarted()).toBe(false);
    await other.kill();
    await runAnew();
    await waitFor('the agent', agentWasStarted);
  });

  it('notes nothing and keeps no claim when its push fails', async () => {
    const half = await madeHalf();
    push.mockRejectedValue(new Error('no room'));
    await expect(run()).rejects.toThrow('no room');
    expect([readdirSync(join(half.path, 'pushed')), readdirSync(join(half.path, 'claimed'))]).toEqual([[], []]);
  });
});

describe('wal-push beside an agent', () => {
  it('ends when the note says that the file is durable, and prints its warnings', async () => {
    const warning = { fields: { fileName }, message: 'archived already, with the same bytes' };
    await note(await madeHalf(), [warning]);
    await run();
    expect(push).not.toHaveBeenCalled();
    expect(warn.mock.calls).toEqual([[warning.fields, warning.message]]);
  });

  it('waits for the file that the agent has in flight', async () => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    claimBy(half, other);
    setTimeout(() => void note(half), 100);
    await run();
    expect(push).not.toHaveBeenCalled();
  });

  it.each([
    ['dies', (other: OtherProcess) => other.kill()],
    ['is stopped', (other: OtherProcess) => other.stop()],
    ['gives the file up', async (_: OtherProcess, half: Half) => rmSync(join(half.path, 'claimed', fileName))],
    ['loses its spool', async (_: OtherProcess, half: Half) => rmSync(half.path, { recursive: true, maxRetries: 20 })],
  ])('does the work itself at once when the agent %s', async (_what, happen) => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    claimBy(half, other);
    const happened = delay(50).then(() => happen(other, half));
    await run();
    await happened;
    expect(push).toHaveBeenCalledOnce();
  });

  it('does the work itself when the file is in flight for a minute', async () => {
    await using other = await startOtherProcess();
    const half = await madeHalf();
    claimBy(half, other);
    const begin = performance.now();
    {
      using now = vi.spyOn(performance, 'now').mockImplementation(() => begin);
      const clock = { ...systemClock, sleep: async () => void now.mockImplementation(() => begin + 61_000) };
      await run(undefined, clock);
    }
    expect(push).toHaveBeenCalledOnce();
    expect(readdirSync(join(half.path, 'pushed'))).toEqual([fileName]);
  });

  it('prints why the agent could not push the file, and does the work itself', async () => {
    const half = await madeHalf();
    await noteFailed(half, fileName, 'cannot reach the store');
    await run();
    expect(push).toHaveBeenCalledOnce();
    expect(warn.mock.calls).toEqual([
      [{ fileName, failure: 'cannot reach the store' }, 'the agent could not push this file, trying again'],
    ]);
    await run();
    expect(warn).toHaveBeenCalledOnce();
  });

  it('ends at once when it is told to while it waits', async () => {
    await using other = await startOtherProcess();
    claimBy(await madeHalf(), other);
    const end = new AbortController();
    setTimeout(() => end.abort(), 50);
    await expect(run(end.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(push).not.toHaveBeenCalled();
  });
});

describe('wal-push beside a spool that is odd', () => {
  const root = () => space.path('pg_wal', spoolName);

  it.each([
    ['is a file', () => writeFileSync(root(), '')],
    ['leads elsewhere', () => symlinkSync(space.path('elsewhere'), root())],
    ['is open to others', () => mkdirSync(root(), { mode: 0o755 })],
  ])('does its work with one warning when the spool %s', async (_what, make) => {
    mkdirSync(space.path('elsewhere'), { mode: 0o700 });
    space.addReady(nextFile);
    make();
    await run();
    expect(push).toHaveBeenCalledOnce();
    expect(warn.mock.calls).toMatchObject([[{}, 'going on without the agent']]);
    expect(readdirSync(space.path('elsewhere'))).toEqual([]);
    expect(agentWasStarted()).toBe(false);
  });

  it('does its work where a directory has the name of its claim or note', async () => {
    const half = await madeHalf();
    mkdirSync(join(half.path, 'claimed', fileName));
    await run();
    rmSync(join(half.path, 'claimed', fileName), { recursive: true, maxRetries: 20 });
    mkdirSync(join(half.path, 'pushed', fileName));
    await run();
    expect(push).toHaveBeenCalledTimes(2);
    expect(readdirSync(join(half.path, 'claimed'))).toEqual([]);
  });

  it('says nothing of a half that an agent takes away as it ends', async () => {
    const half = await madeHalf();
    rmSync(join(half.path, 'claimed'), { recursive: true, maxRetries: 20 });
    await run();
    expect(push).toHaveBeenCalledOnce();
    expect(warn).not.toHaveBeenCalled();
  });

  it('does its work when archive_status cannot be read', async () => {
    rmSync(join(space.walDirectory, 'archive_status'), { recursive: true, maxRetries: 20 });
    await run();
    expect(push).toHaveBeenCalledOnce();
    expect(warn).toHaveBeenCalledOnce();
  });

  it('writes no note into a half that has taken the place of its own', async () => {
    const half = await madeHalf();
    push.mockImplementation(async () => {
      await makeHalf({ ...call, settings: 'another repository' });
      return { fileName, key: '', outcome: 'stored', sizeBytes: 1, modifiedAt: statSync(path).mtime };
    });
    await run();
    const other = (await findHalf({ ...call, settings: 'another repository' })) as Half;
    expect(readdirSync(join(other.path, 'pushed'))).toEqual([]);
    expect(readdirSync(join(half.path, 'pushed'))).toEqual([fileName]);
    expect(readFileSync(join(dirname(half.path), 'push'), 'utf8')).toContain('another repository');
  });
});

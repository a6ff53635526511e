import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHalf } from '../../../src/wal/agent/agent-lock.ts';
import { agentState, isOwnRecord, recordAgent, withdrawAgent } from '../../../src/wal/agent/agent-record.ts';
import { type Half, makeHalf } from '../../../src/wal/spool.ts';
import { makeSpoolSpace, type SpoolSpace } from '../../support/spool-space.ts';

let space: SpoolSpace;
let half: Half;
beforeEach(async () => {
  space = makeSpoolSpace();
  half = (await makeHalf(space.call('push'))) as Half;
});
afterEach(() => space[Symbol.dispose]());

describe('the lock of a half', () => {
  it('is had once at a time', async () => {
    {
      await using lock = await lockHalf(half);
      expect(lock).toBeDefined();
      expect(await lockHalf(half)).toBeUndefined();
      const other = (await makeHalf(space.call('fetch'))) as Half;
      await using otherLock = await lockHalf(other);
      expect(otherLock).toBeDefined();
    }
    await using again = await lockHalf(half);
    expect(again).toBeDefined();
  });

  it('goes with the process that has it, however that ends', async () => {
    const source = new URL('../../../src/wal/agent/agent-lock.ts', import.meta.url).href;
    const script = `const { lockHalf } = await import(${JSON.stringify(source)});
      await lockHalf({ path: ${JSON.stringify(half.path)} }); process.stdout.write('locked'); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    try {
      await once(child.stdout, 'data');
      expect(await lockHalf(half)).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
      await closed;
    }
    await using lock = await lockHalf(half);
    expect(lock).toBeDefined();
  });
});

describe('the record of the agent', () => {
  it('names the process that wrote it last', async () => {
    expect(await agentState(half)).toBe('gone');
    await recordAgent(half);
    expect(await agentState(half)).toBe('at work');
    expect(await isOwnRecord(half)).toBe(true);
    expect(readFileSync(join(half.path, 'agent'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\n$`));
    await withdrawAgent(half);
    await withdrawAgent(half);
    expect([await agentState(half), await isOwnRecord(half)]).toEqual(['gone', false]);
  });
});

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sweepSpool } from '../../../src/wal/agent/sweep.ts';
import { type Half, makeHalf } from '../../../src/wal/spool.ts';
import { startOtherProcess } from '../../support/other-process.ts';
import { makeSpoolSpace, type SpoolSpace } from '../../support/spool-space.ts';

let space: SpoolSpace;
let pushHalf: Half;
let fetchHalf: Half;
beforeEach(async () => {
  space = makeSpoolSpace();
  pushHalf = (await makeHalf(space.call('push'))) as Half;
  fetchHalf = (await makeHalf(space.call('fetch'))) as Half;
  writeFileSync(join(fetchHalf.path, 'fetched', '000000010000000000000002'), 'much');
});
afterEach(() => space[Symbol.dispose]());

it('the segments that a dead agent has fetched go with the next agent for pushes', async () => {
  writeFileSync(join(fetchHalf.path, 'agent'), '1 1\n');
  await sweepSpool(space.call('push'), pushHalf);
  expect(existsSync(fetchHalf.path)).toBe(false);
  expect(existsSync(pushHalf.path)).toBe(true);
});

it('the half of an agent for fetches stays while that lives, or has not begun', async () => {
  await sweepSpool(space.call('push'), pushHalf);
  expect(existsSync(fetchHalf.path)).toBe(true);
  await using other = await startOtherProcess();
  writeFileSync(join(fetchHalf.path, 'agent'), other.identity);
  await sweepSpool(space.call('push'), pushHalf);
  await other.stop();
  await sweepSpool(space.call('push'), pushHalf);
  expect(existsSync(fetchHalf.path)).toBe(true);
});

it('the own half of an agent for fetches keeps what a dead one has fetched', async () => {
  writeFileSync(join(fetchHalf.path, 'agent'), `${process.pid} 1\n`);
  mkdirSync(join(fetchHalf.path, 'fetched', 'not ours'));
  await sweepSpool(space.call('fetch'), fetchHalf);
  expect(existsSync(join(fetchHalf.path, 'fetched', '000000010000000000000002'))).toBe(true);
});

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Half, makeHalf } from '../../src/wal/spool.ts';
import { readAsked, writeAsked } from '../../src/wal/spool-asked.ts';
import { makeSpoolSpace } from '../support/spool-space.ts';

it('the segment that was asked for last is read with a stamp that changes with each request', async () => {
  using space = makeSpoolSpace();
  const half = (await makeHalf(space.call('fetch'))) as Half;
  expect(await readAsked(half)).toBeUndefined();
  const stamps = new Set<string | undefined>();
  for (const fileName of ['000000010000000000000002', '000000010000000000000002', '000000010000000000000001']) {
    await writeAsked(half, fileName);
    const asked = await readAsked(half);
    expect(asked?.fileName).toBe(fileName);
    expect(await readAsked(half)).toEqual(asked);
    stamps.add(asked?.stamp);
  }
  expect(stamps.size).toBe(3);
});

it('rubbish asks for nothing', async () => {
  using space = makeSpoolSpace();
  const half = (await makeHalf(space.call('fetch'))) as Half;
  for (const rubbish of ['', '../../x', '00000002.history', '000000010000000000000002.partial']) {
    writeFileSync(join(half.path, 'asked'), rubbish);
    expect(await readAsked(half)).toBeUndefined();
  }
  rmSync(half.path, { recursive: true });
  expect(await readAsked(half)).toBeUndefined();
});

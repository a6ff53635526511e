import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Half, makeHalf } from '../../src/wal/spool.ts';
import { breakClaim, claim, claimantOf, countClaims, release } from '../../src/wal/spool-claims.ts';
import { startOtherProcess } from '../support/other-process.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';

const fileName = '000000010000000000000002';

let space: SpoolSpace;
let half: Half;
let path: string;
beforeEach(async () => {
  space = makeSpoolSpace();
  half = (await makeHalf(space.call('push'))) as Half;
  path = join(half.path, 'claimed', fileName);
});
afterEach(() => space[Symbol.dispose]());

describe('a claim', () => {
  it('is had by one process, which is named in it', async () => {
    expect(await claim(half, fileName)).toBe(true);
    expect(await claim(half, fileName)).toBe(false);
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\n$`));
    expect(await claimantOf(half, fileName)).toMatchObject({ processId: process.pid });
    expect(await countClaims(half)).toBe(1);
    await release(half, fileName);
    expect(await countClaims(half)).toBe(0);
    expect(await claim(half, fileName)).toBe(true);
  });

  it('goes to exactly one of many who try at once', async () => {
    const tries = await Promise.all(Array.from({ length: 20 }, () => claim(half, fileName)));
    expect(tries.filter((isMine) => isMine)).toHaveLength(1);
  });

  it('is never seen without its text, so that nobody takes one over that is just being made', async () => {
    const seen = new Set<string>();
    let isDone = false;
    const look = () => {
      if (isDone) return;
      for (const name of readdirSync(join(half.path, 'claimed'))) {
        seen.add(readFileSync(join(half.path, 'claimed', name), 'utf8'));
      }
      setImmediate(look);
    };
    look();
    for (let number = 10; number < 100; number += 1) {
      expect(await claim(half, `0000000100000000000000${number}`)).toBe(true);
    }
    isDone = true;
    expect([...seen]).toEqual([expect.stringMatching(new RegExp(`^${process.pid} \\d+\n$`))]);
    expect(readdirSync(half.path).filter((name) => name.startsWith('claimed.'))).toEqual([]);
  });

  it('is respected while its process works, and taken over from a process that is stopped or dead', async () => {
    await using other = await startOtherProcess();
    writeFileSync(path, other.identity);
    expect(await claim(half, fileName)).toBe(false);
    await release(half, fileName);
    expect(readFileSync(path, 'utf8')).toBe(other.identity);
    await other.stop();
    expect(await claimantOf(half, fileName)).toBeUndefined();
    expect(await claim(half, fileName)).toBe(true);
    await other.kill();
    writeFileSync(path, other.identity);
    expect(await claim(half, fileName)).toBe(true);
  });

  it("that is rubbish is nobody's", async () => {
    for (const rubbish of ['', '1 ', 'x'.repeat(10_000)]) {
      writeFileSync(path, rubbish);
      expect(await claimantOf(half, fileName)).toBeUndefined();
      expect(await claim(half, fileName)).toBe(true);
    }
    rmSync(path);
    mkdirSync(path);
    expect(await claim(half, fileName)).toBe(false);
  });

  it('can be broken', async () => {
    await using other = await startOtherProcess();
    writeFileSync(path, other.identity);
    await breakClaim(half, fileName);
    expect(await claim(half, fileName)).toBe(true);
    await breakClaim(half, fileName);
    await breakClaim(half, fileName);
  });

  it('fails where the spool is gone', async () => {
    rmSync(half.path, { recursive: true });
    await expect(claim(half, fileName)).rejects.toThrow('ENOENT');
    expect(await countClaims(half)).toBe(0);
  });
});

import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { describeError, SeawallError } from '../../src/errors.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';
import { inChunks, walLikeBytes } from './byte-streams.ts';
import { numberedObject, type PutOutcome } from './directory-writer-objects.ts';

/**
 * A process of its own that writes into a directory store, for tests that kill it, race it, or give it a place that is full, read-only
 * or somebody else's.
 *
 * - `for-ever <root> <number>` puts an object `begun/<number>`, then numbered objects from that number on, every other one with ifAbsent
 * - `put <root> <size>…` puts one object after the other with ifAbsent, and prints the outcomes
 * - `race <root> <key> <seed> <moment>` begins four puts of the key at that moment (ms since 1970), and prints the outcomes
 */
const [job, root = '', ...rest] = process.argv.slice(2);
const store = createFilesystemStore(root);

async function put(key: string, sizeBytes: number, seed: number): Promise<PutOutcome> {
  try {
    await store.put(key, () => inChunks(walLikeBytes(sizeBytes, seed), 65_536), { ifAbsent: true });
    return { outcome: 'stored', names: namesBelow(root) };
  } catch (error) {
    const hint = error instanceof SeawallError ? error.hint : undefined;
    const { name, message, cause } = error as Error;
    return { outcome: name, message, hint, cause: describeError(cause), names: namesBelow(root) };
  }
}

function namesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

async function putForEver(start: number): Promise<void> {
  await store.put(`begun/${start}`, Buffer.alloc(0));
  for (let number = start; ; number += 1) {
    const { key, bytes } = numberedObject(number);
    await store
      .put(key, () => inChunks(bytes, 10_000), { ifAbsent: number % 2 === 0 })
      .catch((error: Error) => {
        if (error.name !== 'AlreadyExistsError') throw error;
      });
  }
}

if (job === 'for-ever') await putForEver(Number(rest[0]));

if (job === 'put') {
  const outcomes: PutOutcome[] = [];
  for (const [index, size] of rest.entries()) outcomes.push(await put(`wal_005/${index}`, Number(size), index + 1));
  process.stdout.write(JSON.stringify(outcomes));
}

if (job === 'race') {
  const [key = '', seed, moment] = rest;
  await delay(Math.max(0, Number(moment) - Date.now()));
  const writers = [1, 2, 3, 4].map((writer) => put(key, 300_000, Number(seed) * 10 + writer));
  process.stdout.write(JSON.stringify(await Promise.all(writers)));
}

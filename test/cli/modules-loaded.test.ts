import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';
import { makeSegment } from '../support/wal-segment.ts';

const hook = new URL('../support/log-modules.ts', import.meta.url);
const segment = '000000010000000000000002';
/** Parses the command line; bounds what runs at a time. */
const small = new Set(['commander', 'p-map']);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-modules-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Names of the packages that the command loads, besides Node's own modules and ours. */
async function packagesLoadedBy(args: readonly string[]): Promise<string[]> {
  const log = join(folder, 'modules');
  const result = await runSeawall(args, {
    env: { NODE_OPTIONS: `--import=${hook.href}`, SEAWALL_TEST_MODULES: log },
  });
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  const urls = (await readFile(log, 'utf8')).trim().split('\n');
  expect(urls.some((url) => url.endsWith('/cli/main.js'))).toBe(true);
  const names = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return [...new Set(names)].sort();
}

describe('the modules that a call loads', () => {
  it('wal-push to a directory loads no cloud SDK, no validation, no PostgreSQL client', async () => {
    const path = join(folder, segment);
    await writeFile(path, makeSegment({ fileName: segment }));
    const repository = pathToFileURL(folder).href;
    const packages = await packagesLoadedBy(['wal-push', path, '--repository', repository]);
    expect(packages.filter((name) => !small.has(name))).toEqual([]);
  });

  it('wal-fetch from a directory neither', async () => {
    const path = join(folder, segment);
    await writeFile(path, makeSegment({ fileName: segment }));
    const repository = pathToFileURL(folder).href;
    await runSeawall(['wal-push', path, '--repository', repository]);
    const packages = await packagesLoadedBy(['wal-fetch', segment, join(folder, 'out'), '--repository', repository]);
    expect(packages.filter((name) => !small.has(name))).toEqual([]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';
import { makeSegment } from '../support/wal-segment.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const fileName = '000000010000000000000002';

/** Prints the URL of every module that is loaded. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  process.on('exit', () => process.stderr.write(JSON.stringify(loaded)));
`)}`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-modules-'));
  writeFileSync(join(folder, fileName), makeSegment({ fileName }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The packages, in other words what lies in node_modules, that a call loads. */
async function packagesLoadedBy(...args: string[]): Promise<string[]> {
  const call = ['--import', recorder, main, ...args, '--repository', folder];
  const { exitCode, stderr } = await runCommand(process.execPath, call, { cwd: folder });
  expect(exitCode).toBe(0);
  const urls = JSON.parse(stderr) as string[];
  expect(urls.length).toBeGreaterThan(20);
  const packages = urls.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
  return [...new Set(packages.filter((name) => name !== undefined))].toSorted();
}

describe('a call to a directory repository', () => {
  it('loads no cloud SDK, and nothing else that PostgreSQL would have to wait for', async () => {
    expect(await packagesLoadedBy('wal-push', fileName)).toEqual(['commander', 'p-map']);
    expect(await packagesLoadedBy('wal-fetch', fileName, 'out')).toEqual(['commander', 'p-map']);
  });
});

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';
import { makeSegment } from '../support/wal-segment.ts';

const main = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));
const fileName = '000000010000000000000002';

/** Prints the URL of every module that is loaded. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  process.on('exit', () => process.stderr.write(JSON.stringify(loaded)));
`)}`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-modules-'));
  writeFileSync(join(folder, fileName), makeSegment({ fileName }));
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

/** The modules that a call loads, Node's own among them: `node:path`. */
async function modulesLoadedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  const call = ['--import', recorder, main, ...args, '--repository', folder];
  const { exitCode, stderr } = await runCommand(process.execPath, call, { cwd: folder, env });
  expect(exitCode).toBe(0);
  return JSON.parse(stderr) as string[];
}

/** The files, from Node itself aside, that a call loads. */
async function filesLoadedBy(args: readonly string[], env: Record<string, string> = {}): Promise<string[]> {
  return (await modulesLoadedBy(args, env)).filter((url) => url.startsWith('file:'));
}

describe('a call to a directory repository', () => {
  it('loads one file of ours and the doors to it, and no package: PostgreSQL waits for each', async () => {
    for (const call of [
      ['wal-push', fileName],
      ['wal-fetch', fileName, 'out'],
    ]) {
      const files = await filesLoadedBy(call);
      expect(files.filter((url) => url.includes('/node_modules/'))).toEqual([]);
      const sizes = files.map((url) => statSync(fileURLToPath(url)).size);
      expect(sizes.filter((sizeBytes) => sizeBytes > 1024)).toHaveLength(1);
      expect(sizes.length).toBeLessThanOrEqual(5);
    }
  });

  it('loads nothing to start threads with, whatever it compresses with', async () => {
    for (const [number, codec] of ['zstd', 'lz4'].entries()) {
      const other = `00000001000000000000000${4 + number}`;
      writeFileSync(join(folder, other), makeSegment({ fileName: other }));
      const modules = await modulesLoadedBy(['wal-push', other, '--compression', codec]);
      expect(modules).toContain('node:path');
      expect(modules).not.toContain('node:worker_threads');
    }
  });

  it('loads no library of another cipher than its own', async () => {
    const env = { SEAWALL_LIBSODIUM_KEY: 'a key of more than 25 letters' };
    const other = '000000010000000000000003';
    writeFileSync(join(folder, other), makeSegment({ fileName: other }));
    const files = await filesLoadedBy(['wal-push', other], env);
    const packages = files.map((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter(Boolean);
    expect(packages).toContain('sodium-native');
    expect(packages.filter((name) => name === 'openpgp' || name?.startsWith('@aws-sdk/'))).toEqual([]);
  });
});

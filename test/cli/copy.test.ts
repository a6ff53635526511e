import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';
import { walgFixture } from '../support/walg-fixture.ts';

let folder: string;
let source: string;
let destination: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-copy-'));
  [source, destination] = [join(folder, 'source'), join(folder, 'destination')];
  cpSync(join(walgFixture('lz4-remote'), 'repo'), source, { recursive: true });
  mkdirSync(destination);
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

function contents(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(root.length), readFileSync(path).toString('base64')]));
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('copy', () => {
  it('goes from one URL to another, whatever repository is set', async () => {
    const args = ['copy', '--from', `file://${source}`, '--to', `file://${destination}`];
    const { stdout, stderr, exitCode } = await runSeawall(args, {
      env: { SEAWALL_REPOSITORY: join(folder, 'nowhere') },
    });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 0 });
    expect(stderr).toMatch(/Success copy: \d+ objects/);
    expect(contents(destination)).toEqual(contents(source));
  });

  it('takes configuration files of its own', async () => {
    const from = file('from.yaml', `repository: ${source}\n`);
    const to = file('to.yaml', `repository: ${destination}\ncompression: none\n`);
    expect(await runSeawall(['copy', '-f', from, '-t', to, '-b', 'LATEST', '-w'])).toMatchObject({ exitCode: 0 });
    const wal = Object.keys(contents(destination)).filter((path) => path.startsWith('/wal_005'));
    expect(wal).toEqual(['/wal_005/000000010000000000000002.lz4']);
  });

  it("takes WAL-G's, and variables do not win over them", async () => {
    const from = file('from.json', JSON.stringify({ WALG_FILE_PREFIX: source }));
    const to = file('to.json', JSON.stringify({ WALG_FILE_PREFIX: destination, WALG_COMPRESSION_METHOD: 'zstd' }));
    const env = { WALG_FILE_PREFIX: join(folder, 'nowhere'), WALG_S3_PREFIX: 's3://nowhere/at-all' };
    expect(await runSeawall(['wal-g', 'copy', '--from', from, '--to', to], { env })).toMatchObject({ exitCode: 0 });
    expect(contents(destination)).toEqual(contents(source));
  });

  it.each([
    [[], 64],
    [['--from', 'file:///nowhere'], 64],
    [['--from', '/nowhere.yaml', '--to', 'file:///nowhere'], 78],
    [['--from', 'file:///nowhere', '--to', 'file:///nowhere', '-w'], 64],
    [['--from', 'file:///nowhere-at-all', '--to', 'file:///nowhere'], 78],
  ])('refuses %j', async (args, status) => {
    expect((await runSeawall(['copy', ...args])).exitCode).toBe(status);
  });
});

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSeawall } from '../support/seawall.ts';

let folder: string;
let repository: string;
const segment = '000000010000000000000001';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seawall-bad-input-'));
  repository = `file://${folder}`;
  await writeFile(join(folder, 'segment.txt'), 'x');
});
afterAll(() => rm(folder, { recursive: true, maxRetries: 20 }));

describe('a wrong command line', () => {
  it.each([
    ['an unknown command', ['lst'], 'Did you mean list?'],
    ['a word of JavaScript', ['constructor'], "unknown command 'constructor'"],
    ['an unknown option', ['list', '--jsno'], 'Did you mean --json?'],
    ['a setting that is misspelt', ['wal-push', 'x', '--repositry', 'y'], 'Did you mean --repository?'],
    ['a missing argument', ['show'], "missing required argument 'backup'"],
    ['too many arguments', ['list', 'them'], 'too many arguments'],
    ['an option without its value', ['list', '--repository'], 'argument missing'],
    ['no command', [], 'seawall --help'],
    ['a bad value', ['list', '--log-level', 'loud'], 'must be one of debug, info, warn, error'],
  ])('%s ends with 64 and says what to do', async (_what, args, words) => {
    const result = await runSeawall(args);
    expect(result.stderr).toContain(words);
    expect(result.exitCode).toBe(64);
    expect(result.stdout).toBe('');
  });

  it('a path that is not a WAL name ends wal-push with 64', async () => {
    const result = await runSeawall(['wal-push', join(folder, 'segment.txt'), '--repository', repository]);
    expect(result.stderr).toContain('segment.txt');
    expect(result.exitCode).toBe(64);
  });
});

describe('wrong settings', () => {
  it.each([
    ['no repository', [], 'SEAWALL_REPOSITORY'],
    ['an unknown scheme', ['--repository', 'ftp://host/x'], 's3://bucket/prefix'],
    ['a bucket without a name', ['--repository', 's3://'], 'bucket'],
    ['a relative path', ['--repository', 'srv/wal'], 'file:///srv/wal'],
    ['a directory that does not exist', ['--repository', 'file:///nowhere/at/all'], '/nowhere/at/all'],
    ['a configuration file that does not exist', ['--config', '/nowhere.yaml'], '/nowhere.yaml'],
  ])('%s ends with 78 and says what is expected', async (_what, args, words) => {
    const result = await runSeawall(['list', ...args]);
    expect(result.stderr).toContain(words);
    expect(result.exitCode).toBe(78);
  });
});

describe('wal-fetch, whose every failure must not look like the end of the archive', () => {
  it.each([
    ['no arguments', ['wal-fetch']],
    ['an unknown option', ['wal-fetch', segment, 'out', '--repositry', 'x']],
    ['a bad value', ['wal-fetch', segment, 'out', '--fetch-deadline', 'never']],
    ['no repository', ['wal-fetch', segment, 'out']],
    ['a malformed repository', ['wal-fetch', segment, 'out', '--repository', 'ftp://x']],
    ['a repository directory that is not there', ['wal-fetch', segment, 'out', '--repository', 'file:///nowhere']],
    ['a name that is no WAL name', ['wal-fetch', 'segment.txt', 'out', '--repository', 'REPOSITORY']],
    ['an option before the command', ['--quiet', 'wal-fetch', segment, 'out']],
  ])('%s ends with 200', async (_what, args) => {
    const result = await runSeawall(
      args.map((word) => (word === 'REPOSITORY' ? repository : word)),
      { cwd: folder },
    );
    expect(result.stderr).toMatch(/^seawall: error: /);
    expect(result.exitCode).toBe(200);
  });
});

describe('a stored file that is damaged', () => {
  it('does not pour its content into the log', async () => {
    const stored = join(folder, 'damaged', 'wal_005');
    await mkdir(stored, { recursive: true });
    await writeFile(join(stored, '00000002.history'), Buffer.alloc(1_000_000));
    const repository = join(folder, 'damaged');
    const result = await runSeawall(['wal-fetch', '00000002.history', 'out', '--repository', repository], {
      cwd: folder,
    });
    expect(result.exitCode).toBe(200);
    expect(result.stderr).toContain('00000002.history has a line that is not one');
    expect(result.stderr.length).toBeLessThan(10_000);
  });
});

describe('a file that is to be stored or fetched', () => {
  const path = `pg_wal/${segment}`;
  it.each([
    ['an option behind it', 64, ['wal-push', path, '--help']],
    ['an option before the command', 64, ['--version', 'wal-push', path]],
    ['an option behind the value of another one', 64, ['--log-level', 'debug', 'wal-push', '-h', path]],
    ['the command help', 64, ['help', 'wal-push', path]],
    ['a word that is none', 64, ['', 'wal-push', path, '-h']],
    ["WAL-G's command help", 64, ['wal-g', 'help', 'wal-push', path]],
    ["an option behind WAL-G's", 64, ['wal-g', '--config', 'x', 'wal-push', path, '-h']],
    ['an option of wal-fetch', 200, ['--log-level', 'debug', 'wal-fetch', '-h', segment, 'out']],
    ['the command help for wal-fetch', 200, ['help', 'wal-fetch', segment, 'out']],
  ])('is not done by help that is asked for by %s', async (_what, exitCode, args) => {
    expect(await runSeawall([...args], { cwd: folder })).toMatchObject({ exitCode });
  });
});

describe('help', () => {
  it.each([[['wal-push', '--help']], [['help', 'wal-push']], [['wal-g', 'wal-fetch', '-h']]])(
    'for a command of PostgreSQL is a result too: %s',
    async (args) => {
      expect(await runSeawall(args)).toMatchObject({ exitCode: 0, stderr: '' });
    },
  );

  it('is a result: stdout, status 0, examples first', async () => {
    const result = await runSeawall(['restore', '--help']);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/^Examples:\n {2}seawall restore /);
    expect(result.stderr).toBe('');
  });
});

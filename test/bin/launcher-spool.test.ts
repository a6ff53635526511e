import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { secretVariables } from '../../src/config/secret-files.ts';
import { secretSettingVariables, settingNames, settingsTable, variableOf } from '../../src/config/settings.ts';
import { isSecretName, storageNames } from '../../src/config/walg-names.ts';
import { prefixNames } from '../../src/config/walg-repository.ts';
import { type Half, makeHalf } from '../../src/wal/spool.ts';
import { notePushed } from '../../src/wal/spool-notes.ts';
import { runCommand } from '../support/run-command.ts';
import { seawallPath } from '../support/seawall.ts';
import { makeSpoolSpace, type SpoolSpace } from '../support/spool-space.ts';

/** Those that this machine has of the shells that stand behind /bin/sh on the systems PostgreSQL runs on. */
const shells = ['dash', 'bash --posix', 'busybox sh'].filter(
  (shell) => spawnSync('sh', ['-c', `command -v ${shell.split(' ')[0]}`]).status === 0,
);

const segment = '000000010000000000000002';
const push = ['wal-push', `pg_wal/${segment}`];
const fetch = ['wal-fetch', segment, 'pg_wal/RECOVERYXLOG'];

let packageDirectory: string;
let space: SpoolSpace;

beforeAll(() => {
  // Instead of Node, a program that shows what it is handed over.
  packageDirectory = mkdtempSync(join(tmpdir(), 'seawall launcher-'));
  cpSync(dirname(seawallPath), join(packageDirectory, 'bin'), { recursive: true });
  const text = `#!/bin/sh\nprintf '%s' "node:\${SEAWALL_CALL_SETTINGS-none}"\n`;
  writeFileSync(join(packageDirectory, 'node'), text, { mode: 0o755 });
});
afterAll(() => rmSync(packageDirectory, { recursive: true }));
beforeEach(() => {
  space = makeSpoolSpace();
});
afterEach(() => space[Symbol.dispose]());

describe.each(shells)('the fast path under %s', (shell) => {
  async function launch(args: readonly string[], env: Record<string, string> = {}, name = 'seawall') {
    const [command = '', ...options] = shell.split(' ');
    const path = join(packageDirectory, 'bin', name);
    const environment = {
      PATH: process.env['PATH'] ?? '',
      SEAWALL_NODE: join(packageDirectory, 'node'),
      SEAWALL_REPOSITORY: '/srv/wal',
      ...env,
    };
    return await runCommand(command, [...options, path, ...args], { env: environment, cwd: space.dataDirectory });
  }

  /** What the launcher tells Node of a call's settings. */
  async function settingsOf(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const { stdout } = await launch(args, env);
    expect(stdout).toMatch(/^node:/);
    return stdout.slice('node:'.length);
  }

  /** The half that serves such calls, as Node makes it. */
  async function halfFor(args: readonly string[], env: Record<string, string> = {}): Promise<Half> {
    const direction = args[0] === 'wal-push' ? 'push' : 'fetch';
    const half = await makeHalf(space.call(direction, { settings: await settingsOf(args, env) }));
    if (half === undefined) throw new Error('no half was made');
    return half;
  }

  async function note(half: Half, warnings: readonly { fields: object; message: string }[] = []): Promise<void> {
    space.addReady(segment);
    const modifiedAt = new Date(Date.now() - 3_600_000);
    await notePushed(half, segment, { modifiedAt, warnings });
  }

  function fetched(half: Half): string {
    const path = join(half.path, 'fetched', segment);
    writeFileSync(path, 'the bytes of a segment');
    return path;
  }

  const hot = { exitCode: 0, stdout: '', stderr: '' };
  const cold = { exitCode: 0, stdout: expect.stringMatching(/^node:/), stderr: '' };

  it('ends wal-push with 0 when the file is noted as durable, without Node', async () => {
    await note(await halfFor(push));
    expect(await launch(push)).toEqual({ ...hot, signal: null });
  });

  it('renames a fetched segment to its destination, without Node, once', async () => {
    const path = fetched(await halfFor(fetch));
    writeFileSync(space.path('pg_wal', 'RECOVERYXLOG'), 'old');
    expect(await launch(fetch)).toMatchObject(hot);
    expect(readFileSync(space.path('pg_wal', 'RECOVERYXLOG'), 'utf8')).toBe('the bytes of a segment');
    expect(existsSync(path)).toBe(false);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it('asks Node where there is no note, no spool, no server', async () => {
    const half = await halfFor(push);
    space.addReady(segment);
    expect(await launch(push)).toMatchObject(cold);
    rmSync(half.path, { recursive: true });
    expect(await launch(push)).toMatchObject(cold);
    rmSync(space.path('pg_wal', 'pgsql_tmp_seawall'), { recursive: true });
    expect(await launch(push)).toMatchObject(cold);
    rmSync(space.path('postmaster.pid'));
    expect(await launch(push)).toMatchObject(cold);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it('believes no note of another run of the server', async () => {
    await note(await halfFor(push));
    space.startServer(1_795_248_001);
    expect(await launch(push)).toMatchObject(cold);
    space.startServer(1_795_248_000, 1);
    expect(await launch(push)).toMatchObject(cold);
    space.startServer(1_795_248_000);
    expect(await launch(push)).toMatchObject(hot);
  });

  it('believes no note that other flags or variables have led to', async () => {
    const flags = [...push, '--retry-deadline', '1 min'];
    await note(await halfFor(flags));
    expect(await launch(flags)).toMatchObject(hot);
    for (const args of [
      push,
      [...flags, '--no-agent'],
      [...push, '--retry-deadline', '1', 'min'],
      [...push, '--retry-deadline=1 min'],
    ]) {
      expect(await launch(args), args.join(' ')).toMatchObject(cold);
    }
    for (const env of [
      { SEAWALL_REPOSITORY: '/srv/other' },
      { AWS_ENDPOINT_URL: 'http://other' },
      { HOME: '/other' },
    ]) {
      expect(await launch(flags, env as Record<string, string>)).toMatchObject(cold);
    }
    expect(await launch(flags, { SEAWALL_LOG_LEVEL: '' })).toMatchObject(hot);
  });

  it('believes no note once the file of the segment is written to again', async () => {
    await note(await halfFor(push));
    utimesSync(join(space.walDirectory, segment), new Date(), new Date());
    expect(await launch(push)).toMatchObject(cold);
    rmSync(join(space.walDirectory, segment));
    // bash takes a missing file for an old one; what the note says is true anyway.
    expect((await launch(push)).exitCode).toBe(0);
  });

  it('leaves a note with a warning to Node, which prints it', async () => {
    await note(await halfFor(push), [{ fields: {}, message: 'archived already' }]);
    expect(await launch(push)).toMatchObject(cold);
  });

  it('believes no note when the configuration file has changed, appeared or gone', async () => {
    const config = space.path('config.yaml');
    const withConfig = [...push, '--config', config];
    writeFileSync(config, 'jobs: 1\n');
    utimesSync(config, 1_795_000_000.123_456_7, 1_795_000_000.123_456_7);
    const half = await halfFor(withConfig);
    await note(half);
    const times = join(half.path, 'times');
    writeFileSync(join(times, '1.older'), '');
    utimesSync(join(times, '1.older'), 1_795_000_000.123_45, 1_795_000_000.123_45);
    writeFileSync(join(times, '1.newer'), '');
    utimesSync(join(times, '1.newer'), 1_795_000_000.123_46, 1_795_000_000.123_46);
    expect(await launch(withConfig)).toMatchObject(hot);
    for (const time of [1_795_000_001.2, 1_794_999_999]) {
      utimesSync(config, time, time);
      expect(await launch(withConfig)).toMatchObject(cold);
    }
    rmSync(config);
    expect(await launch(withConfig)).toMatchObject(cold);
    writeFileSync(config, 'jobs: 1\n');
    rmSync(times, { recursive: true });
    utimesSync(config, 1_795_000_000.123_456_7, 1_795_000_000.123_456_7);
    expect(await launch(withConfig)).toMatchObject(cold);
  });

  it('knows the configuration file by flag, by variable and by its usual place', async () => {
    writeFileSync(space.path('c.yaml'), '');
    for (const [args, env] of [
      [['--config', 'c.yaml'], {}],
      [['--config=c.yaml'], {}],
      [[], { SEAWALL_CONFIG: 'c.yaml' }],
    ] as const) {
      expect(await settingsOf([...push, ...args], env)).toMatch(/ 6:c\.yaml$/);
    }
    expect(await settingsOf([...push, '--config', 'absent'])).not.toMatch(/ 6:absent$/);
  });

  it('serves the name wal-g, with options before the command and with the configuration file of WAL-G', async () => {
    const env = { HOME: space.path('home'), WALG_FILE_PREFIX: '/srv/wal' };
    mkdirSync(space.path('home'));
    const config = space.path('home', '.walg.yaml');
    writeFileSync(config, 'WALG_ZSTD_LEVEL: best');
    utimesSync(config, 1_795_000_000, 1_795_000_000);
    const calls = [
      ['wal-g', ...push],
      ['wal-g', '--walg-zstd-level', 'best', ...push],
      ['wal-g', '--walg-zstd-level=best', '--turbo', ...push],
    ];
    for (const args of calls) {
      const settings = await settingsOf(args, env);
      expect(settings).toMatch(/^1wal-g .*\/home\/\.walg\.yaml$/);
      const half = await makeHalf(space.call('push', { settings }));
      if (half === undefined) throw new Error('no half was made');
      for (const [name, time] of [
        ['1.older', 1_794_999_999],
        ['1.newer', 1_795_000_001],
      ] as const) {
        writeFileSync(join(half.path, 'times', name), '');
        utimesSync(join(half.path, 'times', name), time, time);
      }
      await note(half);
      expect(await launch(args, env)).toMatchObject(hot);
      expect(await launch(args.slice(1), env)).toMatchObject(cold);
    }
    symlinkSync('seawall', join(packageDirectory, 'bin', 'wal-g'));
    expect(await launch(calls[2]?.slice(1) ?? [], env, 'wal-g')).toMatchObject(hot);
    rmSync(join(packageDirectory, 'bin', 'wal-g'));
  });

  it.each([
    ['a symbolic link in place of the spool', () => replaceByLink(space.path('pg_wal', 'pgsql_tmp_seawall'))],
    ['a symbolic link in place of the run', (half: Half) => replaceByLink(dirname(half.path))],
    ['a symbolic link in place of the half', (half: Half) => replaceByLink(half.path)],
    ['a pointer to elsewhere', (half: Half) => point(half, `../../../elsewhere`)],
    ['a pointer to nothing', (half: Half) => point(half, '')],
    ['a pointer that is rubbish', (half: Half) => writeFileSync(join(dirname(half.path), half.direction), '\0\0')],
    [
      'a directory in place of the pointer',
      (half: Half) => {
        rmSync(join(dirname(half.path), half.direction));
        mkdirSync(join(dirname(half.path), half.direction));
      },
    ],
  ])('goes on to Node with %s', async (_what, spoil) => {
    const half = await halfFor(push);
    await note(half);
    const fetchHalf = await halfFor(fetch);
    fetched(fetchHalf);
    cpSync(half.path, space.path('elsewhere'), { recursive: true, preserveTimestamps: true });
    spoil(half);
    expect(await launch(push)).toMatchObject(cold);
    if (!isSpoiled(fetchHalf)) spoil(fetchHalf);
    expect(await launch(fetch)).toMatchObject(cold);
  });

  it.runIf(process.getuid?.() === 0)('goes on to Node when the half is of another user', async () => {
    const half = await halfFor(push);
    await note(half);
    chownSync(half.path, 65534, 65534);
    expect(await launch(push)).toMatchObject(cold);
  });

  it('takes no link and no directory for a fetched segment, and overwrites no directory', async () => {
    const half = await halfFor(fetch);
    const path = fetched(half);
    mkdirSync(space.path('pg_wal', 'RECOVERYXLOG'));
    expect(await launch(fetch)).toMatchObject(cold);
    rmSync(space.path('pg_wal', 'RECOVERYXLOG'), { recursive: true });
    renameSync(path, `${path}.away`);
    symlinkSync(`${path}.away`, path);
    expect(await launch(fetch)).toMatchObject(cold);
    rmSync(path);
    mkdirSync(path);
    expect(await launch(fetch)).toMatchObject(cold);
    expect(existsSync(space.path('pg_wal', 'RECOVERYXLOG'))).toBe(false);
  });

  it.runIf(process.getuid?.() !== 0)('goes on to Node when the rename fails', async () => {
    fetched(await halfFor(fetch));
    chmodSync(space.walDirectory, 0o500);
    expect(await launch(fetch)).toMatchObject(cold);
    chmodSync(space.walDirectory, 0o700);
  });

  it('knows only the calls of a server', async () => {
    for (const args of [
      ['wal-push', segment],
      ['wal-push', `/elsewhere/pg_wal/${segment}`],
      ['wal-push', 'pg_wal/'],
      ['wal-push', 'pg_wal/../x'],
      ['wal-push', `pg_wal/${segment} `],
      ['wal-push', '--retry-deadline', '1s', `pg_wal/${segment}`],
      ['wal-fetch', segment, `/elsewhere/pg_wal/${segment}`],
      ['wal-fetch', '00000002.history', 'pg_wal/RECOVERYHISTORY'],
      ['wal-fetch', '../../0000000000000000002', 'pg_wal/RECOVERYXLOG'],
      ['wal-fetch', segment],
      ['wal-push'],
      ['list'],
      [],
    ]) {
      expect(await settingsOf(args, { SEAWALL_CALL_SETTINGS: 'from somebody else' }), args.join(' ')).toBe('none');
    }
  });

  it('gives the agent the settings of a call with the same flags', async () => {
    const settings = await settingsOf([...push, '--jobs', '3']);
    for (const args of [['agent'], ['agent', 'push'], ['agent', 'fetch'], fetch]) {
      expect(await settingsOf([...args, '--jobs', '3'])).toBe(settings);
    }
  });

  it('tells apart what looks alike', async () => {
    const calls: [readonly string[], Record<string, string>][] = [
      [['--jobs', '1'], {}],
      [['--jobs 1'], {}],
      [['--jobs=1'], {}],
      [['--', 'jobs', '1'], {}],
      [[], { SEAWALL_JOBS: '1' }],
      [[], { SEAWALL_JOBS: '1 SEAWALL_AGENT=2:on' }],
      [[], { SEAWALL_JOBS: '1', SEAWALL_AGENT: 'on' }],
      [[''], {}],
      [['*'], {}],
      [['$HOME'], {}],
    ];
    const all = await Promise.all(calls.map(([args, env]) => settingsOf([...push, ...args], env)));
    expect(new Set(all).size).toBe(calls.length);
  });

  it.each(['SEAWALL_LIBSODIUM_KEY', 'WALG_LIBSODIUM_KEY', 'SEAWALL_OPENPGP_KEY', 'WALG_PGP_KEY'])(
    'believes no note of an agent that had another key in %s, and writes none down',
    async (variable) => {
      const one = await settingsOf(push, { [variable]: 'c0nfidential, the first' });
      const other = await settingsOf(push, { [variable]: 'c0nfidential, the other' });
      expect(one).toMatch(/ keys=\d{1,5}$/);
      expect(other).not.toBe(one);
      expect(await settingsOf(push, { [variable]: 'c0nfidential, the first' })).toBe(one);
      expect(await settingsOf(push)).not.toContain('keys=');
      expect(await settingsOf(push, { SEAWALL_OPENPGP_PASSPHRASE: 'c0nfidential' })).not.toContain('c0nf');
    },
  );

  it('writes no secret down, and still tells one Azure account from another', async () => {
    const connection = (account: string, key: string) =>
      `DefaultEndpointsProtocol=https;AccountName=${account};AccountKey=${key};SharedAccessSignature=${key};BlobEndpoint=http://h/${account}?sig=${key}`;
    const secrets = Object.fromEntries(secretVariables.map((name) => [name, 'c0nfidential']));
    const env = { ...secrets, AZURE_STORAGE_CONNECTION_STRING: connection('one', 'c0nfidential') };
    const settings = await settingsOf(push, env);
    expect(settings).not.toContain('c0nfidential');
    expect(settings).toContain('AccountName=one');
    const other = { ...env, AZURE_STORAGE_CONNECTION_STRING: connection('two', 'c0nfidential') };
    expect(await settingsOf(push, other)).not.toBe(settings);
    const renewed = { ...env, AZURE_STORAGE_CONNECTION_STRING: connection('one', 'another') };
    expect(await settingsOf(push, renewed)).toBe(settings);
  });
});

describe('the launcher', () => {
  const concernOthers = ['userData', 'withoutFilesMetadata', 'withoutRelationNames', 'daemonPushDeadline'];

  it('knows the variable of every setting that is no secret, and the names that other tools have for it', () => {
    const known = new Set(readFileSync(seawallPath, 'utf8').match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g));
    const variables = [
      ...settingNames
        .filter((name) => !concernOthers.includes(name))
        .flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]),
      ...storageNames.flatMap((name) => [name, `WALG_${name}`, `WALE_${name}`]),
      ...prefixNames,
      'WALG_STORAGE_PREFIX',
      'WALG_CONFIG_PATH',
    ];
    const secrets = [...secretVariables, ...secretSettingVariables];
    const isSecret = (name: string): boolean => secrets.includes(name) || isSecretName(name);
    expect(variables.filter((name) => !known.has(name) && !isSecret(name))).toEqual([]);
    expect([...known].filter(isSecretName)).toEqual([]);
    expect(readdirSync(dirname(seawallPath))).toEqual(['seawall']);
  });
});

/** What both halves have above them. */
function isSpoiled(half: Half): boolean {
  return [dirname(half.path), dirname(dirname(half.path))].some((path) => lstatSync(path).isSymbolicLink());
}

function replaceByLink(path: string): void {
  renameSync(path, `${path}.away`);
  symlinkSync(`${path}.away`, path);
}

function point(half: Half, name: string): void {
  const path = join(dirname(half.path), half.direction);
  const [, settings = ''] = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, `${name}\n${settings}\n`);
}

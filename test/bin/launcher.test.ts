import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { seawallPath } from '../support/seawall.ts';
import { waitFor } from '../support/wait-for.ts';

/** Stands for `dist/bundle/main.js`: does what its second argument says. */
const program = `
import { appendFileSync, writeFileSync } from 'node:fs';
const [, action, value] = process.argv.slice(process.argv[2] === 'wal-g' ? 3 : 2);
const actions = {
  exit: () => process.exit(Number(value)),
  throw: () => { throw new Error('uncaught'); },
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  hang: () => new Promise(() => undefined),
  print: () => process.stdout.write(JSON.stringify(process.argv.slice(2))),
  echo: () => process.stdin.pipe(process.stdout),
  home: () => process.stdout.write(String(process.env.HOME)),
  wait: () => {
    const timer = setInterval(() => undefined, 1000);
    process.on('SIGTERM', () => {
      appendFileSync(value, 'TERM ');
      setTimeout(() => { appendFileSync(value, 'cleaned '); process.exit(143); }, 100);
    });
    writeFileSync(value, 'ready ');
  },
};
await actions[action]();
`;

/** Those that this machine has of the shells that stand behind /bin/sh on the systems PostgreSQL runs on. */
const shells = ['sh', 'dash', 'bash --posix', 'busybox sh'].filter((shell) => commandExists(shell.split(' ')[0] ?? ''));

let directory: string;
let launcher: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'seawall launcher-'));
  chmodSync(directory, 0o755);
  launcher = makePackage('package');
});

afterAll(() => {
  rmSync(directory, { recursive: true, maxRetries: 20, force: true });
});

describe.each(shells)('the launcher under %s', (shell) => {
  async function launch(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
    const [command = '', ...options] = shell.split(' ');
    return await runCommand(command, [...options, launcher, ...args], { env: environment(env) });
  }

  it('passes on the statuses that wal-fetch chose and turns every other one into 200', async () => {
    for (const status of [0, 74, 75, 143]) {
      expect(await launch(['wal-fetch', 'exit', String(status)], fakeNode(status))).toMatchObject({ exitCode: status });
    }
    for (const status of [1, 2, 13, 64, 65, 70, 78, 100, 125, 126, 127, 129, 130, 134, 137, 139, 200, 255]) {
      expect(await launch(['wal-fetch', 'exit', String(status)], fakeNode(status))).toMatchObject({ exitCode: 200 });
    }
  });

  it('keeps wal-push at or below 125: what it did not choose becomes 70', async () => {
    for (const status of [0, 64, 65, 69, 70, 73, 75, 77, 78]) {
      expect(await launch(['wal-push', 'exit', String(status)], fakeNode(status))).toMatchObject({ exitCode: status });
    }
    for (const status of [1, 2, 13, 100, 126, 127, 130, 134, 137, 139, 143, 200, 255]) {
      expect(await launch(['wal-push', 'exit', String(status)], fakeNode(status))).toMatchObject({ exitCode: 70 });
    }
  });

  it('reads SIGUSR2, with which a Node that hangs ends itself, as 75', async () => {
    for (const role of ['wal-fetch', 'wal-push']) {
      expect(await launch([role], fakeNode(140))).toMatchObject({ exitCode: 75 });
    }
  });

  it('leaves the statuses of the other commands alone', async () => {
    for (const status of [0, 1, 74, 137]) {
      expect(await launch(['list', 'exit', String(status)], fakeNode(status))).toMatchObject({ exitCode: status });
    }
  });

  it.each(['throw', 'abort', 'kill', 'hang'])(
    'turns a Node that ends by "%s" into 200 for wal-fetch and 70 for wal-push',
    async (end) => {
      expect(await launch(['wal-fetch', end])).toMatchObject({ exitCode: 200 });
      expect(await launch(['wal-push', end])).toMatchObject({ exitCode: 70 });
    },
  );

  it('knows wal-fetch and wal-push behind options, too', async () => {
    expect(await launch(['--config', 'x', 'wal-fetch'], fakeNode(64))).toMatchObject({ exitCode: 200 });
    expect(await launch(['--config', 'x', 'wal-push'], fakeNode(137))).toMatchObject({ exitCode: 70 });
  });

  it.runIf(commandExists('prlimit'))('ends with 200 or 70 when it cannot start a process', async () => {
    for (const [role, exitCode] of [
      ['wal-fetch', 200],
      ['wal-push', 70],
    ] as const) {
      const args = ['--nproc=0', ...shell.split(' '), launcher, role];
      const result = await runCommand('prlimit', args, { env: environment(fakeNode(0)), asServerUser: true });
      expect(result).toMatchObject({ exitCode, stderr: expect.stringMatching(/fork/) });
    }
  });

  it('hands the arguments over as they are', async () => {
    const odd = ['', 'two words', '*', '$HOME', "it's", '"', 'a\nb', '-n', '\\'];
    for (const role of ['wal-fetch', 'list']) {
      const { stdout } = await launch([role, 'print', ...odd]);
      expect(JSON.parse(stdout)).toEqual([role, 'print', ...odd]);
    }
  });

  it('hands on that it is called as wal-g, and puts the options behind the command', async () => {
    const path = join(freshFolder(), 'wal-g');
    symlinkSync(launcher, path);
    const [command = '', ...options] = shell.split(' ');
    const print = async (args: readonly string[]): Promise<unknown> => {
      return JSON.parse((await runCommand(command, [...options, path, ...args], { env: environment() })).stdout);
    };
    for (const role of ['wal-fetch', 'st']) {
      expect(await print([role, 'print', '*'])).toEqual(['wal-g', role, 'print', '*']);
      expect(await print(['wal-g', role, 'print'])).toEqual(['wal-g', role, 'print']);
      const options = ['--config', 'a b', '--turbo', '--x=$HOME', role, 'print', '--y'];
      expect(await print(options)).toEqual(['wal-g', role, 'print', '--y', '--config', 'a b', '--turbo', '--x=$HOME']);
      expect(JSON.parse((await launch(['wal-g', role, 'print'])).stdout)).toEqual(['wal-g', role, 'print']);
    }
    expect(await launch(['wal-g', '--config', 'x', 'wal-fetch'], fakeNode(64))).toMatchObject({ exitCode: 200 });
    expect(await launch(['wal-g', '--config'], fakeNode(64))).toMatchObject({ exitCode: 64 });
  });

  it('finds the home directory for a wal-g that has none in its environment', async () => {
    expect(await launch(['wal-g', 'wal-push', 'home'])).toMatchObject({ stdout: userInfo().homedir, stderr: '' });
    expect(await launch(['wal-g', 'wal-push', 'home'], { HOME: '/mine' })).toMatchObject({ stdout: '/mine' });
    expect(await launch(['wal-push', 'home'])).toMatchObject({ stdout: 'undefined' });
  });

  it('says that Node is missing', async () => {
    const nowhere = { SEAWALL_NODE: join(directory, 'nowhere', 'node') };
    expect(await launch(['wal-fetch'], nowhere)).toMatchObject({
      exitCode: 200,
      stderr: expect.stringMatching(/there is no Node\.js at .*nowhere\/node\n.*SEAWALL_NODE/),
    });
    expect(await launch(['wal-push'], nowhere)).toMatchObject({ exitCode: 78 });
    expect(await launch(['list'], nowhere)).toMatchObject({ exitCode: 78 });
  });

  it('says that Node is too old', async () => {
    const old = fakeNode(1, 'v20.20.2');
    const message = /is v20\.20\.2, and Seawall needs Node\.js 24 or newer\n.*SEAWALL_NODE/;
    expect(await launch(['wal-fetch'], old)).toMatchObject({ exitCode: 200, stderr: expect.stringMatching(message) });
    expect(await launch(['wal-push'], old)).toMatchObject({ exitCode: 78, stderr: expect.stringMatching(message) });
  });

  it.each(['process', 'process group'])(
    'hands SIGTERM to its %s on and waits until Node has cleaned up',
    async (receiver) => {
      const note = join(freshFolder(), 'note');
      const [command = '', ...options] = shell.split(' ');
      // Detached, so that it leads a process group of its own, as a child of the postmaster does.
      const child = spawn(command, [...options, launcher, 'wal-fetch', 'wait', note], {
        env: environment(),
        detached: true,
      });
      const ended = once(child, 'close');
      try {
        await waitFor('the program to start', () => contentOf(note) === 'ready ');
      } finally {
        process.kill(receiver === 'process' ? Number(child.pid) : -Number(child.pid), 'SIGTERM');
      }
      expect(await ended).toEqual([143, null]);
      expect(contentOf(note)).toMatch(/^ready (TERM )+cleaned $/);
    },
  );
});

describe('the launcher', () => {
  async function launch(
    path: string,
    args: readonly string[],
    env: Record<string, string> = {},
    cwd = directory,
  ): Promise<CommandResult> {
    return await runCommand(path, args, { env: environment(env), cwd });
  }

  it('finds its package through links and relative paths', async () => {
    const folder = freshFolder();
    symlinkSync(launcher, join(folder, 'absolute'));
    symlinkSync('absolute', join(folder, 'relative'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync('../../package/bin/seawall', join(folder, 'bin', 'seawall'));
    for (const path of [
      launcher,
      './absolute',
      './relative',
      join(folder, 'relative'),
      'bin/seawall',
      '../package/bin/seawall',
    ]) {
      expect(await launch(path, ['wal-push', 'print'], {}, folder), path).toMatchObject({
        exitCode: 0,
        stdout: '["wal-push","print"]',
      });
    }
  });

  it('takes the Node of SEAWALL_NODE, then the one of its package, then one beside its package, then one on the PATH', async () => {
    const folder = freshFolder();
    const path = makePackage(join(basename(folder), 'modules/seawall'));
    const nodeIn = (place: string): string => {
      mkdirSync(join(folder, place), { recursive: true });
      return writeScript(
        join(basename(folder), place, 'node'),
        `#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 || echo ${place}\n`,
      );
    };
    const onPath = { PATH: `${join(nodeIn('path'), '..')}:${process.env['PATH']}`, SEAWALL_NODE: '' };
    expect(await launch(path, ['wal-push'], onPath)).toMatchObject({ stdout: 'path\n' });
    nodeIn('modules/node/bin');
    expect(await launch(path, ['wal-push'], onPath)).toMatchObject({ stdout: 'modules/node/bin\n' });
    nodeIn('modules/seawall/node_modules/node/bin');
    expect(await launch(path, ['list'], onPath)).toMatchObject({ stdout: 'modules/seawall/node_modules/node/bin\n' });
    const named = { ...onPath, SEAWALL_NODE: nodeIn('named') };
    expect(await launch(path, ['wal-push'], named)).toMatchObject({ stdout: 'named\n' });
  });

  it('leaves stdin to the other commands', async () => {
    const result = await runCommand(launcher, ['list', 'echo'], { env: environment(), input: 'yes' });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'yes' });
  });

  it('keeps compiled code in a directory of the user alone, and does without where there is none', async () => {
    const shown = writeScript(
      'show',
      '#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 || echo "$NODE_COMPILE_CACHE:$NODE_DISABLE_COMPILE_CACHE"\n',
    );
    const cacheWith = async (env: Record<string, string>): Promise<string> =>
      (await launch(launcher, ['wal-push'], { SEAWALL_NODE: shown, ...env })).stdout;
    expect(await cacheWith({ HOME: '/home/us' })).toBe('/home/us/.cache/seawall:\n');
    expect(await cacheWith({ HOME: '/home/us', XDG_CACHE_HOME: '/caches' })).toBe('/caches/seawall:\n');
    expect(await cacheWith({ NODE_COMPILE_CACHE: '/mine' })).toBe('/mine:\n');
    expect(await cacheWith({})).toBe(':1\n');
  });

  it('works in silence where compiled code cannot be kept', async () => {
    const result = await launch(launcher, ['wal-push', 'print'], { HOME: '/dev/null' });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('ends at the deadline also when a file server hangs', async () => {
    const fileName = '000000010000000000000001';
    const repository = join(freshFolder(), 'hanging repository');
    mkdirSync(join(repository, 'wal_005'), { recursive: true });
    // Opening a named pipe waits in the kernel as a dead network mount does.
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(repository, 'wal_005', `${fileName}.zst`)]);
    const destination = join(repository, 'RECOVERYXLOG');
    const args = [fileName, destination, '--repository', repository, '--fetch-deadline', '100ms'];
    const [stopped, pretended] = await Promise.all([
      launch(seawallPath, ['wal-fetch', ...args]),
      launch(seawallPath, ['wal-fetch', ...args, '--fetch-on-undecided', 'absent']),
    ]);
    expect(stopped).toMatchObject({ exitCode: 200, stderr: expect.stringContaining('did not finish within') });
    expect(pretended).toMatchObject({ exitCode: 75 });
  });

  it('answers a wrong command line with 200 from wal-fetch and 64 from wal-push', async () => {
    for (const args of [
      ['wal-fetch'],
      ['wal-fetch', 'x'],
      ['wal-fetch', '--unknown', 'x', 'y'],
      ['--unknown', 'wal-fetch'],
    ]) {
      expect(await launch(seawallPath, args), args.join(' ')).toMatchObject({ exitCode: 200 });
    }
    for (const args of [['wal-push'], ['wal-push', '--unknown', 'x'], ['wal-push', 'x', 'y']]) {
      expect(await launch(seawallPath, args), args.join(' ')).toMatchObject({ exitCode: 64 });
    }
  });

  it('does not answer 0 for help or a version in the place of a file stored or fetched', async () => {
    const help = [
      ['wal-push', 'x', '--help'],
      ['wal-push', 'x', '-V'],
      ['--version', 'wal-push', 'x'],
      ['wal-g', '--version', 'wal-push', 'x'],
    ];
    for (const args of help) expect(await launch(seawallPath, args), args.join(' ')).toMatchObject({ exitCode: 64 });
    for (const args of [
      ['wal-fetch', '--help', 'x', 'y'],
      ['wal-g', '--help', 'wal-fetch', 'x', 'y'],
    ]) {
      expect(await launch(seawallPath, args), args.join(' ')).toMatchObject({ exitCode: 200 });
    }
    for (const args of [
      ['wal-push', '--help'],
      ['help', 'wal-fetch'],
    ]) {
      expect(await launch(seawallPath, args), args.join(' ')).toMatchObject({ exitCode: 0 });
    }
  });
});

/** A folder that no other attempt has used. */
function freshFolder(): string {
  return mkdtempSync(join(directory, 'attempt-'));
}

/** A package with the launcher and the program above; gives the launcher's path. */
function makePackage(name: string): string {
  const path = join(directory, name);
  mkdirSync(join(path, 'dist', 'bundle'), { recursive: true });
  cpSync(join(seawallPath, '..'), join(path, 'bin'), { recursive: true });
  writeFileSync(join(path, 'package.json'), '{"type":"module"}');
  writeFileSync(join(path, 'dist', 'bundle', 'main.js'), program);
  return join(path, 'bin', 'seawall');
}

function writeScript(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o755 });
  return path;
}

/** A stand-in for Node that ends with this status, and names this version. */
function fakeNode(status: number, version = 'v24.0.0'): Record<string, string> {
  const text = `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit\nexit ${status}\n`;
  return { SEAWALL_NODE: writeScript(`node-${version}-${status}`, text) };
}

function environment(env: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', SEAWALL_NODE: process.execPath, ...env };
}

function contentOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function commandExists(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

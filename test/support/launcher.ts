import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Half, makeHalf } from '../../src/wal/spool.ts';
import { notePushed } from '../../src/wal/spool-notes.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { seawallPath } from './seawall.ts';
import { makeSpoolSpace, type SpoolSpace } from './spool-space.ts';

/** Those that this machine has of the shells that stand behind /bin/sh on the systems PostgreSQL runs on. */
export const shells = ['dash', 'bash --posix', 'busybox sh'].filter((shell) => pathOf(shell) !== undefined);

export const segment = '000000010000000000000002';
export const push = ['wal-push', `pg_wal/${segment}`];
export const fetch = ['wal-fetch', segment, 'pg_wal/RECOVERYXLOG'];

/** What a call looks like that starts no Node, and one that does. */
export const hot = { exitCode: 0, stdout: '', stderr: '' };
export const cold = { exitCode: 0, stdout: expect.stringMatching(/^node:/), stderr: '' };

/** The launcher, with a program in place of Node that shows what it is handed over, and a data directory to run it in. */
export interface Launcher {
  /** Of the present test. */
  readonly space: SpoolSpace;
  /** With bin/seawall in it. */
  readonly packageDirectory: string;
  /** Runs it under the shell; `name` is the one that it is called by. */
  launch(args: readonly string[], env?: Readonly<Record<string, string>>, name?: string): Promise<CommandResult>;
  /** What the launcher tells Node of a call's settings. */
  settingsOf(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string>;
  /** The half that serves such calls, as Node makes it. */
  halfFor(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Half>;
  /** Puts a segment there, and the note that it is durable. */
  note(half: Half, warnings?: readonly { readonly fields: object; readonly message: string }[]): Promise<void>;
  /** Puts a fetched segment there, and gives its path. */
  fetched(half: Half): string;
  /** What the half says of its first file of settings, which was last changed at this time, give or take. */
  markTimes(half: Half, file: string, seconds: number, marginSeconds: number): void;
}

/** For the tests of the suite that calls it. */
export function useLauncher(shell: string): Launcher {
  let packageDirectory: string;
  let space: SpoolSpace;
  beforeAll(() => {
    packageDirectory = mkdtempSync(join(tmpdir(), 'seawall launcher-'));
    cpSync(dirname(seawallPath), join(packageDirectory, 'bin'), { recursive: true });
    const text = `#!/bin/sh\nprintf '%s' "node:\${SEAWALL_CALL_SETTINGS-none}"\n`;
    writeFileSync(join(packageDirectory, 'node'), text, { mode: 0o755 });
  });
  afterAll(() => rmSync(packageDirectory, { recursive: true, maxRetries: 20 }));
  beforeEach(() => {
    space = makeSpoolSpace();
  });
  afterEach(() => space[Symbol.dispose]());

  const launcher: Launcher = {
    get space() {
      return space;
    },
    get packageDirectory() {
      return packageDirectory;
    },
    async launch(args, env = {}, name = 'seawall') {
      const [, ...options] = shell.split(' ');
      const environment = {
        PATH: process.env['PATH'] ?? '',
        SEAWALL_NODE: join(packageDirectory, 'node'),
        SEAWALL_REPOSITORY: '/srv/wal',
        ...env,
      };
      const path = join(packageDirectory, 'bin', name);
      const where = { env: environment, cwd: space.dataDirectory };
      return await runCommand(pathOf(shell) ?? shell, [...options, path, ...args], where);
    },
    async settingsOf(args, env) {
      const { stdout } = await launcher.launch(args, env);
      expect(stdout).toMatch(/^node:/);
      return stdout.slice('node:'.length);
    },
    async halfFor(args, env) {
      const direction = args.includes('wal-push') ? 'push' : 'fetch';
      const settings = await launcher.settingsOf(args, env);
      const half = await makeHalf(space.call(direction, { settings }));
      if (half === undefined) throw new Error('no half was made');
      return half;
    },
    async note(half, warnings = []) {
      space.addReady(segment);
      await notePushed(half, segment, { modifiedAt: new Date(Date.now() - 3_600_000), warnings });
    },
    fetched(half) {
      const path = join(half.path, 'fetched', segment);
      writeFileSync(path, 'the bytes of a segment');
      return path;
    },
    markTimes(half, file, seconds, marginSeconds) {
      const mark = (name: string) => join(half.path, 'times', `1.${name}`);
      symlinkSync(file, mark('file'));
      for (const [name, time] of [
        ['older', seconds - marginSeconds],
        ['newer', seconds + marginSeconds],
      ] as const) {
        writeFileSync(mark(name), '');
        utimesSync(mark(name), time, time);
      }
    },
  };
  return launcher;
}

function pathOf(shell: string): string | undefined {
  const { status, stdout } = spawnSync('sh', ['-c', `command -v ${shell.split(' ')[0]}`], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program and how to start it, for `child_process.spawn`. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: { readonly uid?: number; readonly gid?: number };
}

/** `nobody` on every Unix in use. */
const unprivilegedId = 65534;
const isRoot = process.getuid?.() === 0;
const checkout = new URL('../..', import.meta.url).pathname;

let nobodyReachesCheckout: boolean | undefined;

/**
 * How to start a program as the user who runs PostgreSQL in the tests: ourselves, or `nobody` when the tests run as root, which
 * PostgreSQL refuses. Where root's checkout is closed to others (mode 0700 somewhere above), `nobody` gets the right to read
 * everything, so that the server and the commands it calls can be found.
 */
export function asServerUser(command: string, args: readonly string[]): Launch {
  if (!isRoot) return { command, args, options: {} };
  nobodyReachesCheckout ??= mayRead(join(checkout, 'package.json')) && mayRead(tmpdir());
  if (nobodyReachesCheckout) return { command, args, options: { uid: unprivilegedId, gid: unprivilegedId } };
  const identity = [`--reuid=${unprivilegedId}`, `--regid=${unprivilegedId}`, '--clear-groups'];
  // Without the secure bit the kernel forgets the right in access(2), with which initdb looks for its neighbours.
  const readAll = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search', '--securebits=+no_setuid_fixup'];
  return { command: 'setpriv', args: [...identity, ...readAll, '--', command, ...args], options: {} };
}

/** Makes a new directory below the system's temporary one that the server's user owns, mode 0700. The path is short: sockets live there. */
export function makeServerDirectory(prefix: string): string {
  const directory = mkdtempSync(join(tmpdir().length > 60 ? '/tmp' : tmpdir(), prefix));
  giveToServerUser(directory);
  return directory;
}

/** Hands a file or directory, not what is in it, to the server's user. */
export function giveToServerUser(path: string): void {
  if (isRoot) chownSync(path, unprivilegedId, unprivilegedId);
}

function mayRead(path: string): boolean {
  return spawnSync('test', ['-r', path], { uid: unprivilegedId, gid: unprivilegedId }).status === 0;
}

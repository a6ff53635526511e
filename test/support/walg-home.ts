import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { seawallEnvironment, seawallPath } from './seawall.ts';
import { giveToServerUser, makeServerDirectory } from './server-user.ts';

/** A home directory of the server's user on a machine where the launcher is called `wal-g`. */
export interface WalgHome extends AsyncDisposable {
  readonly path: string;
  /** With `wal-g` on the PATH: for servers, whose archive_command and restore_command call it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs `wal-g` in the home, as the server's user; `env` comes on top. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandResult>;
}

export function makeWalgHome(): WalgHome {
  const path = makeServerDirectory('seawall-walg-');
  const bin = join(path, 'bin');
  mkdirSync(bin);
  giveToServerUser(bin);
  symlinkSync(seawallPath, join(bin, 'wal-g'));
  const environment = { ...seawallEnvironment, PATH: `${bin}:${process.env['PATH']}`, HOME: path };
  return {
    path,
    environment,
    run: (args, env = {}) =>
      runCommand(join(bin, 'wal-g'), args, { asServerUser: true, cwd: path, env: { ...environment, ...env } }),
    [Symbol.asyncDispose]: () => removeTree(path),
  };
}

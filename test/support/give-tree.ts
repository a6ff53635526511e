import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { giveToServerUser } from './server-user.ts';

/** Hands a directory with everything in it to the server's user, as `chown -R` does. Links are left alone. */
export function giveTreeToServerUser(path: string): void {
  const status = lstatSync(path);
  if (status.isSymbolicLink()) return;
  giveToServerUser(path);
  if (status.isDirectory()) for (const name of readdirSync(path)) giveTreeToServerUser(join(path, name));
}

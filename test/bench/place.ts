import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import { makeServerDirectory } from '../support/server-user.ts';
import type { Compression } from './compression.ts';
import type { Commands, Contestant } from './contestant.ts';
import type { Backlog } from './make-wal.ts';

/** A contestant at work in a folder of its own, on copies of the backlog's clusters. */
export interface Workplace extends Disposable {
  readonly commands: Commands;
  readonly dataDirectory: string;
  /** Lays the cluster down as it was before the WAL was written. */
  layDownBase(): void;
}

/** More than what anybody writes to files in one turn. */
const warmedBytes = 3 * 1024 ** 3;

let turns = 0;

/** Lays the cluster with the whole backlog down, and prepares a contestant for it. */
export async function openWorkplace(
  contestant: Contestant,
  backlog: Backlog,
  compression: Compression,
  repositoryUrl: string | undefined,
): Promise<Workplace> {
  const folder = makeServerDirectory('seawall-bench-');
  const dataDirectory = join(folder, 'data');
  turns += 1;
  try {
    layDown(backlog.fullDirectory, dataDirectory);
    const place = join(folder, 'contestant');
    mkdirSync(place, { mode: 0o700 });
    const commands = await contestant.prepare({
      folder: place,
      dataDirectory,
      compression,
      repositoryUrl: repositoryUrl === undefined ? undefined : `${repositoryUrl}/${process.pid}-${turns}`,
    });
    giveTreeToServerUser(place);
    return {
      commands,
      dataDirectory,
      layDownBase() {
        rmSync(dataDirectory, { recursive: true, maxRetries: 20 });
        layDown(backlog.baseDirectory, dataDirectory);
      },
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, maxRetries: 20, force: true });
    throw error;
  }
}

function layDown(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  // PostgreSQL starts in no directory that others may enter; cpSync does not copy the mode of the outermost one.
  chmodSync(to, 0o700);
  giveTreeToServerUser(to);
  // A gigabyte that the kernel still has to write would be in the way of whoever syncs, and of nobody else.
  execFileSync('sync');
}

/**
 * A virtual machine whose host takes free memory back gets it again at 10 µs a page, and whoever came first after a pause would pay for it.
 */
export function warmMemory(): void {
  execFileSync(process.execPath, ['-e', `Buffer.alloc(${warmedBytes}, 1)`]);
}

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
        rmSync(dataDirectory, { recursive: true });
        layDown(backlog.baseDirectory, dataDirectory);
      },
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function layDown(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
  // PostgreSQL starts in no directory that others may enter; cpSync does not copy the mode of the outermost one.
  chmodSync(to, 0o700);
  giveTreeToServerUser(to);
}

import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Direction, SpoolCall } from '../../src/wal/spool.ts';
import { makeSegment } from './wal-segment.ts';

/** A directory that looks like that of a running server, as far as the spool is concerned. */
export interface SpoolSpace extends Disposable {
  readonly dataDirectory: string;
  readonly walDirectory: string;
  /** A call of that server; the settings are made up, and there are no files of settings, unless given. */
  call(direction: Direction, changes?: Partial<SpoolCall>): SpoolCall;
  /** Lets the server have started at this time, in seconds, with this process id. */
  startServer(startedAt: number, processId?: number): void;
  /** Puts a segment of 1 MiB there, an hour old, which waits for archive_command; gives its bytes. */
  addReady(fileName: string, bytes?: Uint8Array): Uint8Array;
  /** What PostgreSQL does when archive_command has ended with 0. */
  archive(fileName: string): void;
  path(...names: string[]): string;
}

export function makeSpoolSpace(): SpoolSpace {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'seawall-spool-'));
  const walDirectory = join(dataDirectory, 'pg_wal');
  mkdirSync(join(walDirectory, 'archive_status'), { recursive: true });
  chmodSync(walDirectory, 0o700);
  const space: SpoolSpace = {
    dataDirectory,
    walDirectory,
    call: (direction, changes) => ({
      dataDirectory,
      direction,
      settings: '1 SEAWALL_REPOSITORY=8:/srv/wal',
      settingsFiles: [],
      ...changes,
    }),
    startServer: (startedAt, processId = 4711) => {
      writeFileSync(join(dataDirectory, 'postmaster.pid'), `${processId}\n${dataDirectory}\n${startedAt}\n5432\n`);
    },
    addReady: (fileName, bytes = makeSegment({ fileName })) => {
      const path = join(walDirectory, fileName);
      writeFileSync(path, bytes);
      const anHourAgo = new Date(Date.now() - 3_600_000);
      utimesSync(path, anHourAgo, anHourAgo);
      writeFileSync(join(walDirectory, 'archive_status', `${fileName}.ready`), '');
      return bytes;
    },
    archive: (fileName) => rmSync(join(walDirectory, 'archive_status', `${fileName}.ready`)),
    path: (...names) => join(dataDirectory, ...names),
    [Symbol.dispose]: () => removeFully(dataDirectory),
  };
  space.startServer(1_795_248_000);
  return space;
}

/** Somebody, an agent that is just starting, may still write into it. */
function removeFully(directory: string, attempts = 20): void {
  try {
    rmSync(directory, { recursive: true, maxRetries: 20, force: true });
  } catch (error) {
    if (attempts === 0) throw error;
    removeFully(directory, attempts - 1);
  }
}

import { join } from 'node:path';
import { type Commands, makeFolder, type Place } from './contestant.ts';

/** WAL-G, or WAL-RUS, which takes the same settings: a process for each call. */
export function walg(place: Place, program: string): Commands {
  return {
    archiveCommand: `${program} wal-push "%p"`,
    restoreCommand: `${program} wal-fetch "%f" "%p"`,
    environment: environmentOf(place),
  };
}

/** The same through its daemon, which is told the bare name of a segment. */
export function walgDaemon(place: Place, program: string, client: string): Commands {
  const socket = join(place.folder, 'daemon.sock');
  return {
    archiveCommand: `${client} ${socket} wal-push %f`,
    restoreCommand: `${client} ${socket} wal-fetch %f %p`,
    environment: environmentOf(place),
    daemon: [program, 'daemon', socket],
  };
}

/** Its four levels of zstd stand for these. */
const levelNames: Readonly<Record<number, string>> = { 1: 'fastest', 3: 'default' };

function environmentOf({ folder, dataDirectory, compression: { codec, level } }: Place): Record<string, string> {
  return {
    WALG_FILE_PREFIX: makeFolder(folder, 'repository'),
    WALG_COMPRESSION_METHOD: codec,
    WALG_ZSTD_LEVEL: levelNames[level] ?? 'default',
    PGDATA: dataDirectory,
  };
}

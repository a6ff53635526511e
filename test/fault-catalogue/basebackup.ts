import type { Fault } from './fault.ts';

export const basebackupFaults: readonly Fault[] = [
  {
    line: 47,
    what: 'the server restarts or fails over in the middle',
    shownBy: {
      'integration/journeys/interrupted-backup.test.ts': [
        'by a restart of the server (%s) removes what it has stored, and fails',
      ],
      'integration/basebackup.test.ts': ['fails when the server crashes, and leaves nothing behind'],
      'backup/check-server.test.ts': ['refuses a standby'],
    },
  },
  {
    line: 48,
    what: 'files vanish, grow, shrink or are emptied while they are read',
    shownBy: {
      'backup/pack-part.test.ts': [
        'leaves out what has vanished, file or directory',
        'cuts a file that grows while it is read to the size at which it was opened',
        'fills a file that shrinks to %i bytes with zeros, as the manifest says',
      ],
      'integration/journeys/targets.test.ts': ['comes back to the end of a backup, with whole transactions only'],
    },
  },
  {
    line: 49,
    what: 'a page is torn, or damaged',
    shownBy: {
      'backup/check-pages.test.ts': [
        'reads a page again that was caught in the middle of a write, and keeps what it then reads',
      ],
      'integration/basebackup.test.ts': [
        'reports a damaged page by file and block, and fails for it only when it is strict',
      ],
    },
  },
  {
    line: 50,
    what: 'the clock jumps, or file times are coarse',
    shownBy: {
      'backup/comparable-time.test.ts': [
        'is no file’s when it was written to %s',
        'is no file’s for two seconds where the file system keeps whole seconds',
      ],
      'integration/walg-fields.test.ts': [
        'taken under load lists no file with a time by which a delta would skip it, and miss what was written since',
      ],
    },
    because:
      'Every backup of ours is a full one: no file is left out because of its time. WAL-G takes deltas upon them.',
  },
  {
    line: 51,
    what: 'WAL that the backup needs is not archived',
    shownBy: {
      'integration/basebackup.test.ts': [
        'fails before anything is copied when the WAL does not arrive, and names the segment',
        'fails when the WAL stops arriving while it is taken',
      ],
    },
  },
  {
    line: 52,
    what: 'a backup is interrupted and taken up again',
    shownBy: {
      'integration/journeys/interrupted-backup.test.ts': ['by SIGKILL leaves no backup, and the next one is whole'],
    },
    because: 'A backup is never taken up again; the next one begins anew.',
  },
  {
    line: 53,
    what: 'two backups are taken at once',
    shownBy: {
      'integration/basebackup.test.ts': ['succeeds beside another one that is under way, under another name'],
    },
    because: 'Nothing expires yet.',
  },
  {
    line: 54,
    what: 'a million files, strange names, tablespaces within the data directory, links in a circle',
    shownBy: {
      'backup/plan-parts.test.ts': ['spreads many small files by their number'],
      'backup/find-files.test.ts': [
        'finds a tablespace that lies within the data directory once',
        'leaves out other links and special files, with a warning for all but sockets',
      ],
      'integration/journeys/tablespaces.test.ts': [
        'is restored beside the original with its tablespaces elsewhere',
        'comes back in place',
      ],
    },
    because: 'A cluster of a million files takes too long to make for every run.',
  },
  {
    line: 55,
    what: 'a standby that is backed up never reaches the position',
    shownBy: { 'backup/check-server.test.ts': ['refuses a standby'] },
    because: 'Backups are taken at primaries only.',
  },
  {
    line: 56,
    what: 'files may not be read',
    shownBy: { 'backup/find-files.test.ts': ['lists what may not be read, all of it, before anything is copied'] },
  },
];

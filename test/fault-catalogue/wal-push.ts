import type { Fault } from './fault.ts';

const spool = 'There is no spool and no agent yet: each call pushes its own file and reports its own outcome.';

export const walPushFaults: readonly Fault[] = [
  {
    line: 1,
    what: 'the same segment is pushed again',
    shownBy: {
      'wal/push.test.ts': ['succeeds with one warning when the bytes are the same, and stores no second object'],
      'integration/wal-push.test.ts': ['accepts a segment that is archived already, with a warning'],
    },
  },
  {
    line: 2,
    what: 'a segment of the same name has other bytes',
    shownBy: {
      'wal/push.test.ts': ['refuses other bytes, names the object with its time and size, and leaves it as it is'],
    },
  },
  {
    line: 3,
    what: 'two hosts race for one name',
    shownBy: {
      'wal/push.test.ts': ['lets exactly one of many hosts store it', 'takes a lost race like any other'],
      'contract/object-store/create.ts': ['lets exactly one of twenty writers win'],
    },
  },
  {
    line: 4,
    what: 'a clone or a restored snapshot archives into the repository of the original',
    shownBy: {
      'integration/journeys/clone.test.ts': [
        'a clone of a PostgreSQL %i cluster cannot spoil the archive of the original',
      ],
    },
    because: 'A clone is refused with the first segment that differs; until then it is the same cluster.',
  },
  {
    line: 5,
    what: 'a cluster is made anew and archives into the old repository',
    shownBy: {
      'wal/push.test.ts': ['refuses the first segment of a cluster that was made anew'],
      'integration/wal-push.test.ts': [
        'refuses the segments of another cluster in the same repository, and leaves them as they are',
      ],
    },
    because:
      'It is refused by the bytes under a name that is taken; nothing yet compares with segments of other names.',
  },
  {
    line: 6,
    what: 'the cluster has been upgraded to another major',
    shownBy: { 'wal/check-wal.test.ts': ['refuses a segment that %s'] },
    because: 'Clusters are not registered: each segment carries its system identifier, and wal-fetch refuses others.',
  },
  {
    line: 7,
    what: 'a segment has another size than the cluster',
    shownBy: { 'wal/check-wal.test.ts': ['refuses %s, naming the file'] },
  },
  { line: 8, what: 'a segment is empty', shownBy: { 'wal/push.test.ts': ['refuses %s and stores nothing'] } },
  {
    line: 9,
    what: 'the first page has no header',
    shownBy: {
      'wal/push.test.ts': ['refuses %s and stores nothing'],
      'wal/check-wal.test.ts': ['refuses %s, naming the file'],
    },
  },
  {
    line: 10,
    what: 'the segment is of a PostgreSQL that we do not know',
    shownBy: { 'wal/push.test.ts': ['refuses %s and stores nothing'] },
  },
  {
    line: 11,
    what: 'the segment is a recycled one',
    shownBy: { 'wal/push.test.ts': ['refuses %s and stores nothing'] },
  },
  {
    line: 12,
    what: 'WAL is encrypted by the server, and has no header',
    because: 'Such servers are forks; the check cannot be switched off yet, so their WAL is refused.',
  },
  {
    line: 13,
    what: 'a partial segment comes before the whole one',
    shownBy: {
      'wal/push.test.ts': ['stores %s under its own name'],
      'wal/fetch.test.ts': ['does not take %s for the segment'],
    },
  },
  {
    line: 14,
    what: 'a history of the same name has other content',
    shownBy: { 'wal/push.test.ts': ['refuses a history with other bytes'] },
  },
  {
    line: 15,
    what: 'a history is empty',
    shownBy: {
      'wal/push.test.ts': ['refuses %s and stores nothing'],
      'wal/fetch.test.ts': ['refuses a history that is %s'],
    },
  },
  {
    line: 16,
    what: '%f instead of %p; links in the place of directories',
    shownBy: {
      'wal/push.test.ts': ['says what is wrong with %f'],
      'integration/journeys/links.test.ts': [
        'a PostgreSQL %i cluster whose data directory and pg_wal are links archives, is backed up, and comes back',
      ],
    },
  },
  {
    line: 17,
    what: 'the file is no WAL',
    shownBy: {
      'wal/push.test.ts': ['refuses a path that ends in %s, which is no WAL file name', 'stores %s under its own name'],
    },
  },
  {
    line: 18,
    what: 'the store says yes and keeps other bytes',
    shownBy: {
      'integration/altered-upload.test.ts': ['wal-push does not end with 0 when its bytes change on their way'],
      'contract/s3-faults.test.ts': ['does not believe a 200 without an ETag'],
    },
  },
  {
    line: 19,
    what: 'an upload breaks, or its last step fails behind a 200',
    shownBy: {
      'contract/s3-faults.test.ts': ['does not believe a 200 with an error in its body at the end of an upload'],
      'contract/cloud-faults.ts': [
        'sends a part again that met a fault, without beginning anew',
        'repeats the last step of an upload in parts',
      ],
    },
  },
  {
    line: 20,
    what: 'the store is busy',
    shownBy: {
      'contract/cloud-faults.ts': ['%s may be repeated when the service is busy'],
      'storage/with-retries.test.ts': ['gives up when the deadline has passed, with the last error'],
    },
  },
  {
    line: 21,
    what: 'access is denied, or credentials have expired',
    shownBy: {
      'contract/s3-faults.test.ts': ['fetches credentials anew from a file that was rotated when they have expired'],
      'storage/with-retries.test.ts': ['throws at once what another attempt cannot heal, from %s'],
    },
  },
  {
    line: 22,
    what: 'a token on disk is replaced during a long run',
    shownBy: {
      'contract/s3-faults.test.ts': ['fetches credentials anew from a file that was rotated when they have expired'],
    },
    because:
      'Google and Azure: their libraries read the token files; a secret given by a variable is read once per run.',
  },
  {
    line: 23,
    what: 'the disk of the repository is full',
    shownBy: {
      'storage/drivers/filesystem-failures.test.ts': [
        'says that the disk is full, leaves nothing, and works again when there is room',
      ],
    },
  },
  {
    line: 24,
    what: 'power fails right after a success',
    shownBy: {
      'storage/drivers/filesystem-durability.test.ts': [
        'syncs the folders that it creates, and their parents',
        'makes durable what it finds there, whose writer may have died too early, before it says so',
      ],
    },
  },
  {
    line: 25,
    what: 'the push is killed at any moment',
    shownBy: {
      'integration/wal-push.test.ts': ['leaves nothing half-written, and the next call succeeds'],
      'wal/push.test.ts': ['leaves nothing wrong when call after call ends in "%s"'],
      'integration/journeys/crash.test.ts': [
        'a PostgreSQL %i server that is killed under load, again and again, leaves an archive without gaps',
      ],
    },
  },
  { line: 26, what: 'a note of another cluster lies in the spool', because: spool },
  { line: 27, what: 'the spool is lost or read-only', because: spool },
  {
    line: 28,
    what: 'one segment cannot be archived, and thousands wait behind it',
    because: `${spool} PostgreSQL keeps the queue, and pg_stat_archiver counts the failures.`,
    shownBy: {
      'integration/journeys/outages.test.ts': [
        'goes on when the repository $what, counts the failures, and catches up',
      ],
    },
  },
  {
    line: 29,
    what: 'the store hangs for ever',
    shownBy: {
      'wal/push.test.ts': ['gives up when the store hangs'],
      'bin/launcher.test.ts': ['ends at the deadline also when a file server hangs'],
      'contract/cloud-faults.ts': ['%s gives up a service that never answers'],
    },
  },
  { line: 30, what: 'pg_wal is nearly full', because: 'WAL is never dropped: a gap would be worse than a full disk.' },
  { line: 31, what: 'two workers think that they own the queue', because: spool },
  {
    line: 32,
    what: 'a primary and its standby both archive',
    shownBy: {
      'integration/journeys/standby.test.ts': [
        'that archives, too, into the same repository as its primary, meets the same bytes and is content',
      ],
    },
  },
  {
    line: 33,
    what: 'a status above 125 ends the archiver',
    shownBy: {
      'bin/launcher.test.ts': ['keeps wal-push at or below 125: what it did not choose becomes 70'],
      'integration/journeys/outages.test.ts': [
        'goes on when the repository $what, counts the failures, and catches up',
      ],
    },
  },
  { line: 69, what: 'the agent is killed where the server is process 1', because: spool },
  { line: 70, what: 'archive_command is pointed at another repository while notes lie in the spool', because: spool },
];

import type { Fault } from './fault.ts';

/** What may be wrong with a file that is to be archived. */
export const walPushFileFaults: readonly Fault[] = [
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
];

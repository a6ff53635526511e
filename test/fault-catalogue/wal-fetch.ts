import type { Fault } from './fault.ts';

export const walFetchFaults: readonly Fault[] = [
  {
    line: 34,
    what: 'whatever fails looks like the end of the archive',
    shownBy: {
      'wal/undecided.test.ts': ['says absent of a proven absence, and of nothing else'],
      'cli/bad-input.test.ts': ['%s ends with 200'],
      'integration/wal-fetch.test.ts': [
        'stops recovery instead of ending it early when %s, and goes on afterwards',
        'lets a standby wait while the repository is gone, and go on when it is back',
      ],
      'integration/journeys/outages.test.ts': ['stops when the repository $what, and loses nothing'],
    },
  },
  { line: 35, what: 'one of several repositories is down', because: 'There is one repository; several come later.' },
  {
    line: 36,
    what: 'an object is cut off, damaged, or of another cluster',
    shownBy: {
      'wal/fetch.test.ts': [
        'refuses an object that %s, and leaves nothing at the destination',
        'takes another spelling of the same file, and warns',
      ],
    },
  },
  {
    line: 37,
    what: 'a segment is unpacked to another size',
    shownBy: { 'wal/fetch.test.ts': ['refuses an object that %s, and leaves nothing at the destination'] },
  },
  {
    line: 38,
    what: 'prefetching finds nothing, and leaves an empty file',
    shownBy: {
      'wal/agent/prefetch.test.ts': [
        'stops at a gap and at the end of the archive',
        'hands over only what is whole: nothing of a damaged, foreign or misplaced segment',
      ],
    },
  },
  {
    line: 39,
    what: 'a segment is asked for twice, on another timeline, or backwards',
    shownBy: {
      'wal/fetch.test.ts': ['brings the same file back as often as it is asked'],
      'integration/agent-timelines.test.ts': [
        'that pg_rewind turns into a standby follows the new timeline, whatever is left in its spool',
      ],
      'integration/journeys/timelines.test.ts': ['is restored from before the fork along timeline %s, the %s'],
    },
  },
  {
    line: 40,
    what: 'the timeline changes while segments are fetched ahead',
    shownBy: {
      'wal/agent/prefetch.test.ts': [
        'goes with recovery when that turns back or takes another timeline, and drops the rest',
      ],
      'integration/agent-timelines.test.ts': [
        'a standby of PostgreSQL %i with an agent finds what is archived later, never a history in the spool, and is promoted',
      ],
      'integration/journeys/timelines.test.ts': ['is restored from before the fork along timeline %s, the %s'],
    },
  },
  {
    line: 41,
    what: 'one name begins with another',
    shownBy: {
      'wal/fetch.test.ts': ['does not take %s for the segment'],
      'repository/wal-archive.test.ts': ['takes no other file for a segment whose name it begins with'],
    },
  },
  {
    line: 42,
    what: 'the archive holds several compressions',
    shownBy: {
      'integration/journeys/configuration.test.ts': [
        'a cluster whose settings stand in a file comes back, though they change on the way',
      ],
    },
  },
  {
    line: 43,
    what: 'one segment is stored twice, with different bytes',
    shownBy: { 'wal/fetch.test.ts': ['refuses two objects of one name with different bytes, and names both'] },
  },
  {
    line: 44,
    what: 'the history of the next timeline is asked for at every start',
    shownBy: {
      'wal/fetch.test.ts': ['says so when the repository holds WAL'],
      'cli/end-process.test.ts': ['a command whose last file has just been looked at ends with its own status'],
    },
  },
  {
    line: 45,
    what: 'there is no place for temporary files',
    shownBy: {
      'wal/placing.test.ts': [
        "writes under a name that PostgreSQL's tools skip",
        'says what is wrong with a destination',
      ],
      'bin/launcher.test.ts': ['works in silence where compiled code cannot be kept'],
    },
  },
  {
    line: 46,
    what: 'the destination is on another file system',
    because: 'The temporary file lies beside the destination, so the two are always on one.',
  },
];

import type { Fault } from './fault.ts';

/** What may happen on the way of a file into the repository. */
export const walPushStoreFaults: readonly Fault[] = [
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
      'integration/agent-push-killed.test.ts': [
        'a push agent that is killed right before each of its steps in turn loses no segment',
      ],
      'integration/agent-stalled.test.ts': ['pushes it itself as soon as the agent is %s'],
    },
  },
  {
    line: 26,
    what: 'a note of another cluster or of a former run lies in the spool',
    shownBy: {
      'bin/launcher-spool.test.ts': ['believes no note of another run of the server'],
      'wal/spool.test.ts': ['belongs to one run of the server'],
      'integration/agent-stale-spool.test.ts': [
        'is not believed by a server that is started anew after an immediate stop',
        'is not believed by a server that is set back to a snapshot',
        'is not believed by a clone, beside which the original goes on',
      ],
      'integration/agent-timelines.test.ts': [
        'that pg_rewind turns into a standby follows the new timeline, whatever is left in its spool',
      ],
      'integration/journeys/clone.test.ts': [
        'a clone of a PostgreSQL %i cluster cannot spoil the archive of the original',
      ],
    },
  },
  {
    line: 27,
    what: 'the spool is lost, read-only, or somebody else’s',
    shownBy: {
      'wal/push-with-agent.test.ts': ['does its work with one warning when the spool %s'],
      'wal/agent/push-ahead.test.ts': ['ends when the spool is taken away'],
      'integration/agent-spool.test.ts': [
        'is left alone when it %s',
        'is left alone when it is another user’s',
        'costs nothing but the agent when it %s while the agent is at work',
      ],
    },
  },
  {
    line: 28,
    what: 'one segment cannot be archived, and thousands wait behind it',
    shownBy: {
      'wal/agent/push-ahead.test.ts': ['leaves word of it, begins nothing else, and tries that file again'],
      'integration/journeys/outages.test.ts': [
        'goes on when the repository $what, counts the failures, and catches up',
      ],
    },
    because: 'The queue is PostgreSQL’s own, and nothing is ever dropped from it.',
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
  {
    line: 30,
    what: 'pg_wal is nearly full',
    shownBy: {
      'integration/agent-disk-full.test.ts': [
        'a pg_wal that is full stops no segment from being archived, and the agent comes back when there is room',
      ],
    },
    because: 'WAL is never dropped: a gap would be worse than a full disk.',
  },
  {
    line: 31,
    what: 'two workers think that they own the queue',
    shownBy: {
      'wal/agent/agent-lock.test.ts': ['is had once at a time'],
      'wal/spool-claims.test.ts': ['goes to exactly one of many who try at once'],
      'integration/agent-by-hand.test.ts': [
        'an agent started by hand serves the server in whose directory it is, alone, until it is told to end',
      ],
      'integration/agent-containers.test.ts': [
        'two servers with one data directory path, process id and network keep out of each other’s way',
      ],
    },
  },
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
  {
    line: 69,
    what: 'the agent is killed where the server is process 1',
    shownBy: {
      'wal/agent/start-agent.test.ts': [
        'has a shell above it, in a session of their own, with nothing but /dev/null open',
        'leaves nobody behind when a signal ends it',
      ],
      'integration/agent-containers.test.ts': [
        'a server that is process 1 loses no connection when its agent is killed with -9',
      ],
    },
  },
  {
    line: 70,
    what: 'archive_command is pointed at another repository while notes lie in the spool',
    shownBy: {
      'bin/launcher-settings.test.ts': ['believes no note that other flags or variables have led to'],
      'integration/agent-settings.test.ts': ['no note of the old one is believed for archive_command'],
      'integration/journeys/repointed.test.ts': [
        'a PostgreSQL %i server whose archive_command is pointed at another repository keeps no segment from both',
      ],
    },
  },
];

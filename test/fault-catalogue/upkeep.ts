import type { Fault } from './fault.ts';

/** Deleting and verifying. */
export const upkeepFaults: readonly Fault[] = [
  {
    line: 62,
    what: 'retention takes WAL that a kept backup needs, breaks a chain, or stops half way',
    shownBy: {
      'retention/plan-properties.test.ts': [
        'keeps what every kept backup stands on, and removes children before their parents',
        'keeps the WAL that every kept backup needs to become consistent',
        'keeps all WAL from every kept ordinary backup on, along its own timeline and every younger one',
        'keeps at least one backup when it is to keep some',
      ],
      'retention/run.test.ts': [
        'that is interrupted at any call leaves whole backups, and garbage that is removed later',
        'does the rest when an object is refused, and fails at the end',
        'leaves a backup whole whose sentinel is refused, with what it stands on and its WAL',
      ],
      'integration/journeys/retention.test.ts': [
        'loses nothing by a dry run, and then all that the newest backup does not need',
      ],
    },
    because:
      'To S3 services other than Amazon every deletion is sent with Content-MD5 (src/storage/drivers/s3-client.ts).',
  },
  {
    line: 63,
    what: 'a wrong clock or zone decides what is old; the first backup of a repository takes away the WAL before it',
    shownBy: {
      'retention/plan.test.ts': [
        'does not let a wrong clock take a newer backup for an older one',
        'removes nothing at all when there are not more backups than are kept',
      ],
    },
    because: 'Taking a backup deletes nothing; only delete does, and without --confirm it shows what would go.',
  },
  {
    line: 64,
    what: 'segments of another size, or a switch of timelines, look like gaps',
    shownBy: {
      'verify/scan-segments.test.ts': [
        'looks for each segment on the timeline that owns it, from the switch on the younger one',
      ],
      'repository/segment-size.test.ts': ['is what a segment says of itself, where the backups leave it open'],
      'repository/wal-inventory.test.ts': ['refuses names that cannot be, with segments of this size'],
    },
  },
];

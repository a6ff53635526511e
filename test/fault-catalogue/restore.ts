import type { Fault } from './fault.ts';

export const restoreFaults: readonly Fault[] = [
  {
    line: 57,
    what: 'the target comes before the end of the backup, or on a timeline that cannot be reached',
    shownBy: {
      'integration/journeys/targets.test.ts': [
        'refuses a target before the end of the backup, and names the newest that serves',
      ],
      'integration/journeys/timelines.test.ts': ['is not restored along a timeline that the backup does not lead to'],
    },
    because: 'Where a transaction or a restore point lies, only recovery tells; PostgreSQL refuses it then.',
  },
  {
    line: 58,
    what: 'the restore is interrupted, and the half cluster is started',
    shownBy: {
      'integration/restore.test.ts': ['whose restore is killed cannot be started, and a second restore says why'],
    },
  },
  {
    line: 59,
    what: 'backup_label is missing',
    shownBy: { 'restore/unpack-backup.test.ts': ['is refused when backup_label is missing or of another backup'] },
    because: 'Nobody can be kept from removing it after the restore.',
  },
  {
    line: 60,
    what: 'the destination is not empty; a retry after a failure fills the disk',
    shownBy: {
      'restore/destination.test.ts': ['that is not empty is refused'],
      'restore/unpack-backup.test.ts': ['at any call leaves nothing behind'],
    },
  },
  {
    line: 61,
    what: 'a trial archives into the repository of the original',
    shownBy: {
      'integration/journeys/trial.test.ts': ['elsewhere for a trial writes nothing into the archive of the original'],
    },
  },
];

export const commonFaults: readonly Fault[] = [
  {
    line: 65,
    what: 'a description of a backup is empty or half written',
    shownBy: {
      'repository/backup-catalogue.test.ts': [
        'names the key of a damaged sentinel',
        'lists the others when it may report the damaged one',
      ],
      'restore/restore.test.ts': ['does not keep another one from being restored'],
      'restore/unpack-backup.test.ts': ['is refused when the manifest is damaged'],
    },
  },
  {
    line: 66,
    what: 'secrets are logged',
    shownBy: {
      'contract/object-store/errors.ts': ['keeps secrets out of the errors'],
      'cli/restore-command-line.test.ts': ['carries along what says where the repository is, and never a credential'],
      'integration/journeys/stores.test.ts': ['a cluster that is lost under load comes back to a time, and opens'],
    },
  },
  {
    line: 67,
    what: 'root runs it, and files have the wrong owner',
    shownBy: { 'integration/journeys/trial.test.ts': ['says whom to give the files, when root restores'] },
    because: 'Root may use every command; a repository in a directory is the affair of whoever runs the server.',
  },
  {
    line: 68,
    what: 'a target time is read in another zone than it was meant',
    shownBy: {
      'postgres/target-time.test.ts': ['without a zone is refused with the ways to give one'],
      'integration/postgres-facts.test.ts': ['reads target times as we convert them'],
    },
  },
];

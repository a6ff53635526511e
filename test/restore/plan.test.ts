import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { parseControlFile } from '../../src/postgres/control-file.ts';
import { parseRecoveryTarget, type RecoveryTargetTexts } from '../../src/postgres/recovery-target.ts';
import { describePlan } from '../../src/restore/describe-plan.ts';
import type { BackupContents } from '../../src/restore/inspect-backup.ts';
import { planRestore, type RestoreFacts, type RestoreOptions, type RestorePlan } from '../../src/restore/plan.ts';
import { backupRecord } from '../support/backup-record.ts';
import { controlFileOf } from '../support/stored-backup.ts';

const ownDirectory = '/var/lib/postgresql/18/main';
const backup = backupRecord({
  name: 'base_000000010000000000000002',
  finishLsn: '0/2000100',
  dataDirectory: ownDirectory,
});
const part = { key: 'k', fileName: 'part_001.tar.zst', sizeBytes: 600_000, suffix: 'zst' };
const contents: BackupContents = {
  parts: { data: [part, part], control: part, label: part, haveEndMarks: true },
  control: parseControlFile(controlFileOf()),
  label: undefined,
  mappedTablespaces: [],
  hasManifest: true,
  files: undefined,
  parents: [],
};

interface Variation {
  readonly facts?: Partial<RestoreFacts>;
  readonly options?: Partial<RestoreOptions>;
  readonly target?: RecoveryTargetTexts;
}

function planOf({ facts, options, target = {} }: Variation = {}): RestorePlan {
  return planRestore(
    {
      location: 'file:///srv/wal',
      chain: [backup],
      contents,
      timeline: 1,
      directory: '/srv/copy',
      hostname: 'db1',
      now: new Date('2026-01-03T00:00:00Z'),
      freeBytes: undefined,
      ...facts,
    },
    {
      backup: 'LATEST',
      directory: '/srv/copy',
      target: parseRecoveryTarget(target),
      standby: false,
      restoreCommand: 'seawall wal-fetch "%f" "%p"',
      tablespaceMappings: [],
      jobs: 4,
      ...options,
    },
  );
}

describe('the plan of a restore', () => {
  it('recovers to the end of the WAL when there is no target', () => {
    const plan = planOf();
    expect(plan.signalFile).toBe('recovery.signal');
    expect(plan.settings).toEqual({
      archive_mode: 'off',
      restore_command: 'seawall wal-fetch "%f" "%p"',
      recovery_target_timeline: 'latest',
    });
  });

  it('recovers to one target, with what comes then', () => {
    const target = { time: '2026-01-02 10:00+02', inclusive: false, timeline: '3', action: 'promote' };
    expect(planOf({ target }).settings).toMatchObject({
      recovery_target_time: '2026-01-02 08:00:00+00',
      recovery_target_inclusive: 'off',
      recovery_target_timeline: '3',
      recovery_target_action: 'promote',
    });
  });

  it('makes a standby when asked', () => {
    const plan = planOf({ options: { standby: true } });
    expect(plan.signalFile).toBe('standby.signal');
    expect(plan.isReadInRecovery).toBe(true);
  });

  it.each<[RecoveryTargetTexts, boolean]>([
    [{}, false],
    [{ lsn: '0/3000000' }, true],
    [{ immediate: true }, true],
    [{ lsn: '0/3000000', action: 'promote' }, false],
    [{ name: 'x', action: 'shutdown' }, false],
  ])('with the target %j is read during recovery: %j', (target, isRead) => {
    expect(planOf({ target }).isReadInRecovery).toBe(isRead);
  });
});

describe('archive_mode', () => {
  it('is switched off elsewhere, which is said', () => {
    const plan = planOf();
    expect(plan.archiveMode).toBe('off');
    expect(plan.settings['archive_mode']).toBe('off');
    expect(plan.notes.join()).toContain('archive_mode is switched off');
  });

  it('is left alone when the cluster returns to its own directory', () => {
    const plan = planOf({ facts: { directory: ownDirectory } });
    expect(plan.archiveMode).toBe('keep');
    expect(plan.settings['archive_mode']).toBeUndefined();
    expect(plan.notes).toEqual([]);
  });

  it('is left alone with a warning in the same directory of another machine', () => {
    const plan = planOf({ facts: { directory: ownDirectory, hostname: 'db2' } });
    expect(plan.archiveMode).toBe('keep');
    expect(plan.notes.join()).toContain('was taken on db1');
  });

  it('is what the option says', () => {
    expect(planOf({ options: { archiveMode: 'keep' } }).settings['archive_mode']).toBeUndefined();
    const plan = planOf({ facts: { directory: ownDirectory }, options: { archiveMode: 'off' } });
    expect(plan.settings['archive_mode']).toBe('off');
  });
});

describe('notes', () => {
  it('say that a backup without manifest is checked less', () => {
    const plan = planOf({ facts: { contents: { ...contents, hasManifest: false } } });
    expect(plan.notes.join()).toContain('no backup_manifest');
  });

  it('say that the disk is too small', () => {
    expect(planOf({ facts: { freeBytes: 20_000_000 } }).notes).toContain(
      'The files of the backup have 23.5 MiB, and the file system of the destination has room for 19.1 MiB.',
    );
    expect(planOf({ facts: { freeBytes: 25_000_000 } }).notes.join()).not.toContain('room');
  });

  it('say that a target lies in the future', () => {
    expect(planOf({ target: { time: '2026-01-03 00:01Z' } }).notes.join()).toContain('lies in the future');
    expect(planOf({ target: { time: '2026-01-02 23:59Z' } }).notes.join()).not.toContain('future');
  });

  it.each([{ name: 'x' }, { xid: '700' }])('say that it is not known where %j lies', (target) => {
    expect(planOf({ target }).notes.join()).toContain('only known when recovery gets there');
  });
});

describe('a backup that contradicts itself', () => {
  it('is refused when tablespace_map knows a tablespace that the sentinel does not', () => {
    const mappedTablespaces = [{ oid: '16384', location: '/srv/ts' }];
    expect(() => planOf({ facts: { contents: { ...contents, mappedTablespaces } } })).toThrow(IntegrityError);
  });

  it('is not one when that tablespace lies in the data directory', () => {
    const mappedTablespaces = [{ oid: '16384', location: 'pg_tblspc/16384' }];
    expect(planOf({ facts: { contents: { ...contents, mappedTablespaces } } }).tablespaces).toEqual([]);
  });
});

describe('the plan in words', () => {
  it('says what will be done, a line each', () => {
    const located = { ...backup, tablespaces: [{ oid: '16384', location: '/srv/ts' }] };
    const plan = planOf({
      facts: { chain: [located] },
      options: { tablespaceMappings: [{ from: '/srv/ts', to: '/srv/new' }] },
      target: { lsn: '0/3000000' },
    });
    expect(describePlan(plan)).toEqual([
      'backup       base_000000010000000000000002 in file:///srv/wal',
      'taken        0/2000028 to 0/2000100 (2026-01-02T03:04:05.000Z) on timeline 1, PostgreSQL 18',
      'size         23.5 MiB, 2.3 MiB to fetch in 4 parts, 4 at a time',
      'verified by  backup_manifest: size and checksum of every file',
      'directory    /srv/copy',
      'tablespace   16384 in /srv/new instead of /srv/ts',
      'recovery     to LSN 0/3000000, along timeline 1 (latest), then pause',
      'archiving    switched off',
      "setting      archive_mode = 'off'",
      `setting      restore_command = 'seawall wal-fetch "%f" "%p"'`,
      "setting      recovery_target_lsn = '0/3000000'",
      "setting      recovery_target_inclusive = 'on'",
      "setting      recovery_target_timeline = 'latest'",
      "setting      recovery_target_action = 'pause'",
      'limits       at least max_connections = 150, max_worker_processes = 8, max_wal_senders = 10, max_prepared_transactions = 0, max_locks_per_transaction = 64',
      'note         archive_mode is switched off, so that this copy does not archive into the repository of the original.',
    ]);
  });

  it('says that a standby goes on for ever', () => {
    const plan = planOf({ options: { standby: true } });
    expect(describePlan(plan)).toContain('recovery     as a standby, for ever, along timeline 1 (latest)');
  });
});

import { IntegrityError } from '../errors.ts';
import type { SettingValues } from '../postgres/configuration-file.ts';
import type { HotStandbyLimit } from '../postgres/control-file.ts';
import { recoverySettings } from '../postgres/recovery-settings.ts';
import type { RecoveryTarget } from '../postgres/recovery-target.ts';
import type { MappedTablespace } from '../postgres/tablespace-map.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import type { BackupChain } from '../repository/backup-chain.ts';
import { formatBytes } from '../util/bytes.ts';
import type { BackupContents } from './inspect-backup.ts';
import { type PlannedTablespace, planTablespaces, type TablespaceMapping } from './plan-tablespaces.ts';

/** What to restore, and into what. */
export interface RestoreOptions {
  /** The backup's name, or `LATEST` for the newest that serves the target. */
  readonly backup: string;
  /** The data directory to be, absent or empty. */
  readonly directory: string;
  /** How far to recover, and what then; see `parseRecoveryTarget`. */
  readonly target: RecoveryTarget;
  /** `leave`: the files as the backup has them, without recovery settings; whoever starts the server writes those. By default `prepare`. */
  readonly recovery?: 'prepare' | 'leave' | undefined;
  /** Whether the cluster is to become a standby, which goes on recovering for ever. */
  readonly standby: boolean;
  /** `restore_command` as the server is to run it, with its `%f` and `%p`. It stands in a file for all to read: no secrets. */
  readonly restoreCommand: string;
  /** `off` keeps the restored cluster from archiving; undefined: off, unless it returns to the directory it was backed up from. */
  readonly archiveMode?: 'off' | 'keep' | undefined;
  readonly tablespaceMappings: readonly TablespaceMapping[];
  /** Parts that are fetched and unpacked side by side. */
  readonly jobs: number;
  /** Told of the progress, in bytes of files. */
  readonly onProgress?: ((progress: { readonly bytesDone: number; readonly bytesTotal: number }) => void) | undefined;
}

/** What the plan is made of besides the options. */
export interface RestoreFacts {
  /** Of the repository. */
  readonly location: string;
  /** The backup with what it stands on. */
  readonly chain: BackupChain;
  readonly contents: BackupContents;
  /** The timeline that recovery follows, by number. */
  readonly timeline: number;
  /** The data directory to be, absolute and without links. */
  readonly directory: string;
  /** The name of this machine. */
  readonly hostname: string;
  readonly now: Date;
  /** Room on the file system of the data directory to be; undefined when it is not known. */
  readonly freeBytes: number | undefined;
}

/** Everything that a restore will do. It is printed by `--plan`, and carried out as it stands. */
export interface RestorePlan {
  readonly location: string;
  readonly backup: BackupRecord;
  /** What the backup stands on, its parent first; empty for a full backup. */
  readonly parents: readonly BackupRecord[];
  readonly contents: BackupContents;
  /** Of the files that will be there. */
  readonly sizeBytes: number;
  /** Of PostgreSQL, e.g. 18. */
  readonly majorVersion: number;
  readonly directory: string;
  readonly tablespaces: readonly PlannedTablespace[];
  readonly jobs: number;
  readonly target: RecoveryTarget;
  readonly timeline: number;
  readonly recovery: 'prepare' | 'leave';
  readonly signalFile: 'recovery.signal' | 'standby.signal';
  /** Go into postgresql.auto.conf. */
  readonly settings: SettingValues;
  /**
   * What the configuration must allow at least: with hot_standby, which is on by default, the server does not recover with less
   * than the one had that wrote the WAL.
   */
  readonly hotStandbyLimits: Readonly<Record<HotStandbyLimit, number>>;
  /** Whether somebody is to read the cluster while it recovers, which needs hot_standby. */
  readonly isReadInRecovery: boolean;
  readonly archiveMode: 'off' | 'keep';
  /** Whether the cluster returns to the directory that was backed up. */
  readonly isOwnDirectory: boolean;
  /** What the operator should know, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Makes the plan of a restore from what is known of the backup and the destination.
 *
 * @throws {@link UsageError} for options that do not fit the backup
 * @throws {@link IntegrityError} when the backup contradicts itself
 */
export function planRestore(facts: RestoreFacts, options: RestoreOptions): RestorePlan {
  const { chain, contents, directory } = facts;
  const [backup, ...parents] = chain;
  const sizeBytes = restoredSizeOf(chain);
  checkTablespaceMap(backup, contents.mappedTablespaces ?? []);
  const tablespaces = planTablespaces(backup, directory, options.tablespaceMappings);
  const isOwnDirectory = directory === backup.dataDirectory;
  const archiveMode = options.archiveMode ?? (isOwnDirectory ? 'keep' : 'off');
  const { target, standby } = options;
  return {
    location: facts.location,
    backup,
    parents,
    contents,
    sizeBytes,
    majorVersion: Math.floor(backup.pgVersion / 10_000),
    directory,
    tablespaces,
    jobs: options.jobs,
    target,
    timeline: facts.timeline,
    recovery: options.recovery ?? 'prepare',
    signalFile: standby ? 'standby.signal' : 'recovery.signal',
    settings: {
      ...(archiveMode === 'off' ? { archive_mode: 'off' } : {}),
      ...recoverySettings(target, options.restoreCommand),
    },
    hotStandbyLimits: contents.control.hotStandbyLimits,
    isReadInRecovery: standby || (target.stop.kind !== 'latest' && target.action === 'pause'),
    archiveMode,
    isOwnDirectory,
    notes: notesOn(facts, { archiveMode, isOwnDirectory, sizeBytes }, target),
  };
}

/** A delta's own size is that of what has changed; what it leads to, the whole cluster, has another. */
function restoredSizeOf([backup, ...parents]: BackupChain): number {
  if (parents.length === 0) return backup.uncompressedSizeBytes;
  const changed = parents.reduce((sum, { uncompressedSizeBytes }) => sum + uncompressedSizeBytes, 0);
  return backup.dataCatalogSizeBytes ?? backup.uncompressedSizeBytes + changed;
}

/** The links are made from the sentinel's list, and the server gets no tablespace_map, so the two must name the same tablespaces. */
export function checkTablespaceMap(backup: BackupRecord, mapped: readonly MappedTablespace[]): void {
  for (const { oid, location } of mapped) {
    // A relative location is that of a tablespace in the data directory itself.
    const isKnown = backup.tablespaces.some((known) => known.oid === oid);
    if (isKnown || !location.startsWith('/')) continue;
    throw new IntegrityError(
      `backup ${backup.name} has the tablespace ${oid} in its tablespace_map, but not in its sentinel`,
    );
  }
}

function notesOn(
  { chain: [backup], contents, hostname, now, freeBytes }: RestoreFacts,
  { archiveMode, isOwnDirectory, sizeBytes }: Pick<RestorePlan, 'archiveMode' | 'isOwnDirectory' | 'sizeBytes'>,
  { stop }: RecoveryTarget,
): string[] {
  const notes: string[] = [];
  const isElsewhere = backup.hostname !== undefined && backup.hostname !== hostname;
  if (!contents.hasManifest) {
    notes.push(
      'The backup has no backup_manifest: sizes and completeness are checked, the bytes of the files are not.',
    );
  }
  if (archiveMode === 'off' && !isOwnDirectory) {
    notes.push('archive_mode is switched off, so that this copy does not archive into the repository of the original.');
  }
  if (archiveMode === 'keep' && isElsewhere) {
    notes.push(
      `archive_mode stays as it was, and the backup was taken on ${backup.hostname}: if that server still runs, restore with --archive-mode off.`,
    );
  }
  if (freeBytes !== undefined && freeBytes < sizeBytes) {
    const [needed, free] = [sizeBytes, freeBytes].map(formatBytes);
    notes.push(`The files of the backup have ${needed}, and the file system of the destination has room for ${free}.`);
  }
  if (stop.kind === 'time' && stop.time.at > now) {
    notes.push('The target lies in the future: recovery fails unless WAL from after it has been archived by then.');
  }
  if (stop.kind === 'name' || stop.kind === 'xid') {
    notes.push(
      'Whether the target comes after the backup is only known when recovery gets there; if it fails, restore an older backup.',
    );
  }
  return notes;
}

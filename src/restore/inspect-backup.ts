import { IntegrityError, NotFoundError } from '../errors.ts';
import { type BackupLabel, parseBackupLabel } from '../postgres/backup-label.ts';
import { type ControlFile, parseControlFile } from '../postgres/control-file.ts';
import { formatLsn } from '../postgres/lsn.ts';
import { type MappedTablespace, parseTablespaceMap } from '../postgres/tablespace-map.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import type { BackupChain } from '../repository/backup-chain.ts';
import { backupManifestKey } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { parseEntryName } from './entry-path.ts';
import type { FileSources } from './file-sources.ts';
import { inspectChain, type ParentContents } from './inspect-chain.ts';
import { inObject } from './of-object.ts';
import { type BackupPart, type BackupParts, listParts, readPart } from './parts.ts';
import { readTar } from './tar-entries.ts';

/** What a backup consists of, as far as it can be known without fetching its data. */
export interface BackupContents {
  readonly parts: BackupParts;
  /** pg_control as it was at the end of the backup. */
  readonly control: ControlFile;
  /** Undefined when backup_label lies among the data. */
  readonly label: BackupLabel | undefined;
  /** From tablespace_map; undefined when that lies among the data. */
  readonly mappedTablespaces: readonly MappedTablespace[] | undefined;
  /** Whether the backup brings a backup_manifest, which proves every file. */
  readonly hasManifest: boolean;
  /** Where each file comes from, as the list of files has it; undefined where there is a manifest, or no list. */
  readonly files: ReadonlyMap<string, FileSources> | undefined;
  /** What a delta stands on, its parent first, with the parts that are needed of it; empty for a full backup. */
  readonly parents: readonly ParentContents[];
}

/** pg_control has 8 KiB, backup_label and tablespace_map a line each per fact or tablespace. */
const largestSmallFileBytes = 1024 * 1024;

/**
 * Reads what the plan of a restore needs: the lists of files and parts, and the two small parts.
 *
 * @param chain - the backup with what it stands on, down to the full backup
 * @throws {@link IntegrityError} when a part is missing, pg_control or backup_label is missing or damaged, or they are not of this
 *   backup
 */
export async function inspectBackup(
  repository: Repository,
  chain: BackupChain,
  options: CallOptions,
): Promise<BackupContents> {
  const [backup] = chain;
  // A manifest describes a full backup.
  const hasManifest = chain.length === 1 && (await exists(repository, backupManifestKey(backup.name), options));
  const listed = hasManifest ? undefined : await inspectChain(repository, chain, options);
  const parts = await listParts(repository, backup.name, listed?.partNames ?? [], options);
  if (hasManifest) checkStoredSize(parts, backup);

  const control = await readControl(repository, parts, backup, options);
  const labelFiles = parts.label && (await readSmallFiles(repository, parts.label, true, options));
  const { files, parents = [] } = listed ?? {};
  return { parts, control, ...readLabel(labelFiles, backup), hasManifest, files, parents };
}

async function readControl(
  repository: Repository,
  { control: part, haveEndMarks }: BackupParts,
  backup: BackupRecord,
  options: CallOptions,
): Promise<ControlFile> {
  const name = nameOfObject(repository.store, part.key);
  const bytes = (await readSmallFiles(repository, part, haveEndMarks, options)).get('global/pg_control');
  if (bytes === undefined) throw new IntegrityError(`${name} holds no global/pg_control`);
  const control = inObject(name, () => parseControlFile(bytes));
  const { systemIdentifier = control.systemIdentifier } = backup;
  if (control.systemIdentifier === systemIdentifier) return control;
  throw new IntegrityError(`${name} is of the cluster ${control.systemIdentifier}, the backup of ${systemIdentifier}`);
}

function readLabel(
  files: ReadonlyMap<string, Buffer> | undefined,
  backup: BackupRecord,
): Pick<BackupContents, 'label' | 'mappedTablespaces'> {
  if (files === undefined) return { label: undefined, mappedTablespaces: undefined };
  const label = checkLabel(files.get('backup_label'), backup);
  return { label, mappedTablespaces: readTablespaceMap(files.get('tablespace_map'), backup) };
}

/**
 * Without its own backup_label a cluster would recover from the wrong place and be damaged in silence.
 *
 * @throws {@link IntegrityError} when it is missing, damaged or of another backup
 */
export function checkLabel(bytes: Uint8Array | undefined, backup: BackupRecord): BackupLabel {
  if (bytes === undefined) {
    throw new IntegrityError(`backup ${backup.name} holds no backup_label`, {
      hint: 'It cannot be restored: without backup_label recovery would begin at the wrong place.',
    });
  }
  const label = inObject(`backup_label of ${backup.name}`, () => parseBackupLabel(bytes));
  if (label.startLsn === backup.startLsn) return label;
  throw new IntegrityError(
    `backup ${backup.name} holds the backup_label of another one, which began at ${formatLsn(label.startLsn)}`,
  );
}

/** @throws {@link IntegrityError} when it is damaged; a backup without tablespaces may have none, or an empty one */
export function readTablespaceMap(bytes: Uint8Array | undefined, backup: BackupRecord): MappedTablespace[] {
  return inObject(`tablespace_map of ${backup.name}`, () => parseTablespaceMap(bytes ?? Buffer.alloc(0)));
}

/** The files of a part that holds only small ones. */
async function readSmallFiles(
  repository: Repository,
  part: BackupPart,
  hasEndMark: boolean,
  options: CallOptions,
): Promise<Map<string, Buffer>> {
  const name = nameOfObject(repository.store, part.key);
  const files = new Map<string, Buffer>();
  for await (const entry of readTar(readPart(repository, part, options), name, hasEndMark)) {
    if (entry.sizeBytes > largestSmallFileBytes) {
      throw new IntegrityError(`${name} holds ${JSON.stringify(entry.name)} with ${entry.sizeBytes} bytes`);
    }
    if (entry.kind === 'file') {
      files.set(parseEntryName(entry.name, name), Buffer.concat(await Array.fromAsync(entry.body)));
    }
  }
  return files;
}

/** The sentinel has the size of all parts together, so a part that is missing or not the right one shows before anything is fetched. */
function checkStoredSize({ data, control, label }: BackupParts, backup: BackupRecord): void {
  const sizeBytes = [...data, control, ...(label === undefined ? [] : [label])].reduce(
    (sum, part) => sum + part.sizeBytes,
    0,
  );
  if (sizeBytes === backup.compressedSizeBytes) return;
  throw new IntegrityError(
    `the parts of backup ${backup.name} have ${sizeBytes} bytes, not ${backup.compressedSizeBytes} as when it was taken`,
    { hint: 'A part is missing or has been replaced: choose another backup, and find out what changed the objects.' },
  );
}

async function exists(repository: Repository, key: string, options: CallOptions): Promise<boolean> {
  try {
    await repository.store.head(key, options);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

import { IntegrityError } from '../errors.ts';
import { partsPrefix } from '../repository/layout.ts';
import { decodeObject, requireReadable } from '../repository/object-coding.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import type { CallOptions } from '../storage/object-store.ts';

/** One stored tar of a backup. */
export interface BackupPart {
  readonly key: string;
  /** `part_001.tar.zst` */
  readonly fileName: string;
  readonly sizeBytes: number;
  /** Tells how it is compressed: `zst`; empty when it is not. */
  readonly suffix: string;
}

/** The parts of a backup by what is in them. */
export interface BackupParts {
  /** The data, in the order of their names. */
  readonly data: readonly BackupPart[];
  /** global/pg_control alone. */
  readonly control: BackupPart;
  /** backup_label and tablespace_map; a backup that WAL-G took over the replication protocol has them among the data. */
  readonly label: BackupPart | undefined;
  /** Whether the tars end as tars should: those of a backup that WAL-G took over the replication protocol do not. */
  readonly haveEndMarks: boolean;
}

const partPattern = /^(?<stem>[^.]+)\.tar(?:\.(?<suffix>[^.]*))?$/;

/**
 * Lists the parts that a backup has in the repository.
 *
 * @param namesInBackup - the parts that the backup says it has, by file name; empty when it does not say
 * @throws {@link IntegrityError} naming the first part that is missing
 * @throws {@link ConfigError} when a part is compressed in a way that cannot be read
 */
export async function listParts(
  repository: Repository,
  backupName: string,
  namesInBackup: Iterable<string>,
  options: CallOptions,
): Promise<BackupParts> {
  const stored = await listStored(repository, backupName, options);
  const demanded = Array.from(namesInBackup, stemOf);
  for (const stem of demanded) stored.demand(stem);
  const control = stored.demand('pg_control');
  if (demanded.length === 0) demandNumbered(stored);
  const { data, label } = stored;
  return { data, control, label, haveEndMarks: label !== undefined };
}

/** Which parts of a parent to fetch, by file name. */
export interface PartChoice {
  /** All that the backup says it has and that hold something; empty when it does not say. */
  readonly needed: readonly string[];
  /** Hold nothing that the restore takes. */
  readonly unneeded: readonly string[];
}

/** The parts of the parent of a delta, as far as they are needed. Its pg_control and backup_label are not. Throws as {@link listParts}. */
export async function listParentParts(
  repository: Repository,
  backupName: string,
  { needed, unneeded }: PartChoice,
  options: CallOptions,
): Promise<Pick<BackupParts, 'data' | 'haveEndMarks'>> {
  const stored = await listStored(repository, backupName, options);
  for (const name of needed) stored.demand(stemOf(name));
  if (needed.length === 0) demandNumbered(stored);
  const left = new Set(unneeded.map(stemOf));
  const data = stored.data.filter(({ fileName }) => !left.has(stemOf(fileName)));
  return { data, haveEndMarks: stored.label !== undefined };
}

interface StoredParts extends Pick<BackupParts, 'data' | 'label'> {
  /** @throws {@link IntegrityError} when there is no such part */
  demand(stem: string): BackupPart;
}

async function listStored(repository: Repository, backupName: string, options: CallOptions): Promise<StoredParts> {
  const prefix = partsPrefix(backupName);
  const stems = new Map<string, BackupPart>();
  for await (const { key, sizeBytes } of repository.store.list(prefix, options)) {
    const fileName = key.slice(prefix.length);
    const { stem, suffix = '' } = partPattern.exec(fileName)?.groups ?? {};
    // Not a part: a leftover of an upload, for example.
    if (stem === undefined) continue;
    const name = nameOfObject(repository.store, key);
    if (stems.has(stem)) {
      throw new IntegrityError(`${name} is there in two compressions`, {
        hint: 'Remove the one that is not of this backup.',
      });
    }
    requireReadable({ name, suffix });
    stems.set(stem, { key, fileName, sizeBytes, suffix });
  }
  return {
    data: [...stems].filter(([stem]) => stem !== 'pg_control' && stem !== 'backup_label').map(([, part]) => part),
    label: stems.get('backup_label'),
    demand(stem) {
      const part = stems.get(stem);
      if (part !== undefined) return part;
      throw missingPart(nameOfObject(repository.store, `${prefix}${stem}.tar`));
    },
  };
}

function stemOf(fileName: string): string {
  return partPattern.exec(fileName)?.groups?.['stem'] ?? fileName;
}

/** Without a list, a part can only be missed by its number; all but the last ones show that way. */
function demandNumbered({ data, demand }: StoredParts): void {
  const numbered = data.filter(({ fileName }) => /^part_\d+\./.test(fileName)).length;
  for (let number = 1; number <= Math.max(numbered, 1); number += 1) demand(`part_${String(number).padStart(3, '0')}`);
}

/** The plain tar of a part. What is wrong with it is thrown as by {@link decodeObject}. */
export async function* readPart(
  repository: Repository,
  { key, suffix }: BackupPart,
  options: CallOptions,
): AsyncGenerator<Uint8Array> {
  const object = await repository.store.get(key, options);
  yield* decodeObject(repository, { name: nameOfObject(repository.store, key), suffix }, object.body);
}

function missingPart(name: string): IntegrityError {
  return new IntegrityError(`${name}, which belongs to the backup, is missing`, {
    hint: 'This backup cannot be restored; choose another one, and find out what removed the object.',
  });
}

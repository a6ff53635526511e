import { IntegrityError } from '../errors.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import type { BackupChain } from '../repository/backup-chain.ts';
import { readFileList } from '../repository/files-metadata.ts';
import { filesMetadataKey } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { nameOfObject } from '../repository/wal-archive.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { toByteString } from '../util/byte-string.ts';
import { parseEntryName } from './entry-path.ts';
import { createSourcePlanner, type FileSources } from './file-sources.ts';
import { type BackupParts, listParentParts, type PartChoice } from './parts.ts';

/** A backup that a delta stands on. */
export interface ParentContents {
  readonly backup: BackupRecord;
  /** Those that hold something that the restore takes. */
  readonly parts: Pick<BackupParts, 'data' | 'haveEndMarks'>;
}

/** What the lists of files of a chain say. */
export interface ChainContents {
  /** Undefined when a full backup has no list. */
  readonly files: ReadonlyMap<string, FileSources> | undefined;
  /** File names of the newest backup's parts; empty when it does not say. */
  readonly partNames: readonly string[];
  readonly parents: readonly ParentContents[];
}

/**
 * Reads the lists of files of a chain, the newest backup's first, and works out which parts of its parents are needed.
 *
 * @throws {@link IntegrityError} when a delta has no list, the lists do not fit together, or a part that is needed is missing
 */
export async function inspectChain(
  repository: Repository,
  chain: BackupChain,
  options: CallOptions,
): Promise<ChainContents> {
  const planner = createSourcePlanner(chain.map(({ name }) => name));
  const parents: ParentContents[] = [];
  let hasFiles = true;
  let partNames: readonly string[] = [];
  for (const [link, backup] of chain.entries()) {
    /** How many files each part has that come from this link; the files are listed before the parts. */
    const parts = new Map<string, number>();
    const objectName = nameOfObject(repository.store, filesMetadataKey(backup.name));
    const pathOf = (name: string) => parseEntryName(toByteString(name), objectName);
    const hasList = await readFileList(
      repository,
      backup,
      {
        onFile: (name, file) => planner.addFile(pathOf(name), file),
        onPart(fileName, names) {
          let count = 0;
          for (const name of names) if (planner.isFrom(pathOf(name), link)) count += 1;
          parts.set(fileName, count);
        },
      },
      options,
    );
    if (!hasList && backup.parent !== undefined) throw withoutList(backup, objectName);
    const fileCount = hasList || link === 0 ? planner.endLink() : planner.endWithoutList();
    if (link === 0) {
      hasFiles = hasList;
      partNames = [...parts.keys()];
    } else if (fileCount > 0) {
      const choice = chooseParts(parts, fileCount);
      parents.push({ backup, parts: await listParentParts(repository, backup.name, choice, options) });
    } else {
      parents.push({ backup, parts: { data: [], haveEndMarks: true } });
    }
  }
  return { files: hasFiles ? planner.sources() : undefined, partNames, parents };
}

/** The list of parts counts only when it accounts for every file that is needed; else all parts are fetched. */
function chooseParts(parts: ReadonlyMap<string, number>, fileCount: number): PartChoice {
  const needed: string[] = [];
  const unneeded: string[] = [];
  let accountedFor = 0;
  for (const [fileName, count] of parts) {
    (count > 0 ? needed : unneeded).push(fileName);
    accountedFor += count;
  }
  return accountedFor >= fileCount ? { needed, unneeded } : { needed: [...parts.keys()], unneeded: [] };
}

function withoutList(backup: BackupRecord, objectName: string): IntegrityError {
  const why = backup.filesMetadataDisabled ? 'was taken without' : 'is missing';
  return new IntegrityError(
    `${backup.name} is a delta, and ${objectName}, which says what it takes from its parent, ${why}`,
    {
      hint: `Bring the object back from another copy of the repository, or restore ${backup.parent?.fullName}: the archived WAL leads on from there.`,
    },
  );
}

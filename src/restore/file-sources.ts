import { IntegrityError } from '../errors.ts';
import type { FileMetadata } from '../repository/files-metadata.ts';
import { byteStringAsText } from '../util/byte-string.ts';

/**
 * Where the bytes of one file come from: links of the chain, counted from 0 for the newest backup, the newest first. The last one holds the
 * file whole; those before it hold the pages that had changed by then. One object stands for all files that come from the same links.
 */
export interface FileSources {
  readonly links: readonly number[];
}

/** Works out where every file of the newest backup of a chain comes from, link by link, the newest first. */
export interface SourcePlanner {
  /** An entry in the current link's list of files. The path is a byte string. */
  addFile(path: string, file: Pick<FileMetadata, 'isIncremented' | 'isSkipped'>): void;
  /**
   * The current link's list has ended; what comes next is of its parent.
   *
   * @returns how many files come from this link, in whole or in part
   * @throws {@link IntegrityError} naming a file that a newer link takes from this one, which does not have it
   */
  endLink(): number;
  /** The current link, the full backup, has no list: everything that is still open is taken to be there. Gives their number. */
  endWithoutList(): number;
  /** Whether the file comes from this link, in whole or in part. */
  isFrom(path: string, link: number): boolean;
  /** What has been worked out; to be read when all links have ended. */
  sources(): Map<string, FileSources>;
}

type Kind = 'pages' | 'unchanged' | 'whole';

/** As far as the links have been looked at; files with the same history share one. */
interface Stage extends FileSources {
  /** Whether the last of the links holds the file whole. */
  readonly isSettled: boolean;
  /** Links that have been looked at. */
  readonly depth: number;
  readonly next: Partial<Record<Kind, Stage>>;
}

/** @param backupNames - of the chain, the newest first */
export function createSourcePlanner(backupNames: readonly string[]): SourcePlanner {
  const stages = new Map<string, Stage>();
  const beginning: Stage = { links: [], isSettled: false, depth: 0, next: {} };
  let link = 0;
  /** Files whose bytes are still to be looked for, and those of them that the current link has listed. */
  let openCount = 0;
  let seenCount = 0;
  let fromLink = 0;

  const advance = (path: string, stage: Stage, kind: Kind) => {
    stage.next[kind] ??= {
      links: kind === 'unchanged' ? stage.links : [...stage.links, link],
      isSettled: kind === 'whole',
      depth: link + 1,
      next: {},
    };
    stages.set(path, stage.next[kind]);
    if (kind !== 'unchanged') fromLink += 1;
  };

  const endLink = () => {
    const count = fromLink;
    link += 1;
    [seenCount, fromLink] = [0, 0];
    openCount = 0;
    for (const stage of stages.values()) if (!stage.isSettled) openCount += 1;
    return count;
  };

  return {
    addFile(path, { isIncremented, isSkipped }) {
      const known = stages.get(path);
      if (known?.depth === link + 1) throw new IntegrityError(`${backupNames[link]} lists ${show(path)} twice`);
      // Gone since then, or whole in a newer link.
      if (link > 0 && (known === undefined || known.isSettled)) return;
      seenCount += 1;
      advance(path, known ?? beginning, isSkipped ? 'unchanged' : isIncremented ? 'pages' : 'whole');
    },

    endLink() {
      const isLast = link === backupNames.length - 1;
      if (isLast || seenCount < openCount) {
        for (const [path, { isSettled, depth }] of stages) {
          if (!isSettled && (isLast || depth === link)) throw lost(path, backupNames, link);
        }
      }
      return endLink();
    },

    endWithoutList() {
      for (const [path, stage] of stages) if (!stage.isSettled) advance(path, stage, 'whole');
      return endLink();
    },

    isFrom: (path, from) => stages.get(path)?.links.includes(from) ?? false,
    sources: () => stages,
  };
}

function lost(path: string, backupNames: readonly string[], link: number): IntegrityError {
  const above = backupNames[link - 1] ?? backupNames[link];
  const message =
    link === 0
      ? `${above} is a full backup, but takes ${show(path)} from a parent`
      : `${above} takes ${show(path)} from its parent ${backupNames[link]}, which does not hold it`;
  return new IntegrityError(message, {
    hint: 'The backups of the chain do not fit together: restore an older backup; the archived WAL leads on from there.',
  });
}

function show(path: string): string {
  return JSON.stringify(byteStringAsText(path));
}

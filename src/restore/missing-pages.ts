import type { Context } from '../context.ts';
import { byteStringAsText } from '../util/byte-string.ts';

/** Files that a log line names. */
const namedFiles = 5;

/** Gathers the files that have pages which no backup of the chain holds. */
export interface MissingPages {
  add(path: string, pageCount: number): void;
  /** One warning about all of them. */
  report(context: Context): void;
}

/**
 * A file may have grown by pages that no delta holds: those of an unlogged relation, which the server empties anyway, and those that were
 * allocated but never written, where WAL-G looked for the changed pages in the WAL. WAL-G leaves zeros there, which is what such pages hold.
 *
 * @param files - of the backup; only the paths are looked at
 */
export function collectMissingPages(files: ReadonlyMap<string, unknown> | undefined): MissingPages {
  const found: { readonly path: string; readonly pageCount: number }[] = [];
  return {
    add(path, pageCount) {
      const isUnlogged = files?.has(path.replace(/(?:\.\d+)?$/, '_init')) ?? false;
      if (!isUnlogged) found.push({ path: byteStringAsText(path), pageCount });
    },
    report({ log }) {
      if (found.length === 0) return;
      const pageCount = found.reduce((sum, file) => sum + file.pageCount, 0);
      const files = found.slice(0, namedFiles).map(({ path }) => path);
      log.warn({ pageCount, fileCount: found.length, files }, 'pages that no backup of the chain holds are left empty');
    },
  };
}

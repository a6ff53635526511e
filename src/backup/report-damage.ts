import type { Context } from '../context.ts';
import { IntegrityError } from '../errors.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import type { PackedFiles } from './describe-files.ts';

/** A file of the cluster with damaged pages. */
export interface DamagedFile {
  /** Relative to the data directory. */
  readonly path: string;
  /** Counted from the start of this file. */
  readonly blocks: readonly number[];
}

/** Files, and blocks of each, that a message lists before it says how many more there are. */
const listed = 10;

/**
 * Tells of the damaged pages that were found in the cluster.
 *
 * @param strict - whether they fail the backup; otherwise there is a warning for each file
 * @throws {@link IntegrityError} naming files and blocks, under `strict`
 */
export function reportDamage({ files, records }: PackedFiles, strict: boolean, context: Context): DamagedFile[] {
  const damaged: DamagedFile[] = [];
  for (const [index, path] of files.paths.entries()) {
    const blocks = records.get(index)?.corruptBlocks ?? [];
    if (blocks.length > 0) damaged.push({ path: byteStringAsText(path), blocks });
  }
  if (damaged.length > 0 && strict) {
    const places = damaged.map(({ path, blocks }) => `${path} (block ${shorten(blocks.map(String))})`);
    throw new IntegrityError(`the cluster has damaged pages: ${shorten(places)}`, {
      hint: 'Repair the cluster or recover these files from an earlier backup; without --strict it is backed up as it is.',
    });
  }
  for (const { path, blocks } of damaged) {
    context.log.warn(
      { path, blocks: blocks.slice(0, listed), blockCount: blocks.length },
      'damaged pages in the cluster',
    );
  }
  return damaged;
}

function shorten(words: readonly string[]): string {
  const more = words.length - listed;
  return words.slice(0, listed).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

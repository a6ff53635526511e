import { pageSizeBytes } from '../postgres/page-checksum.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { inBlocks } from '../util/in-blocks.ts';
import { createSpares } from '../util/spares.ts';
import { type BlockMap, claimBlock, createBlockMap, cutOlderBlocks } from './block-map.ts';
import type { Directories } from './directories.ts';
import type { FileSyncs } from './file-syncs.ts';
import { readIncrement } from './increment.ts';
import { createNewFile, type NewFile, openAgain } from './new-file.ts';
import { parentOf } from './placement.ts';
import type { TarEntry } from './tar-entries.ts';

/**
 * Files that come from several backups of a chain. The newest backup comes first: each page is written where it belongs, once, and older backups
 * fill in only what is still missing.
 */
export interface PatchedFiles {
  /** Takes the changed pages of one backup. The newest increment of a file decides on its size, mode and time. */
  addIncrement(place: string, entry: TarEntry, what: string): Promise<void>;
  /** Takes the whole file of the oldest backup, after which it is complete, and hands it over to be synced. */
  addWhole(place: string, entry: TarEntry, what: string): Promise<PatchedFile>;
}

/** A file that is complete. */
export interface PatchedFile {
  /** Pages that no backup of the chain holds. They are zeros, which PostgreSQL takes for pages that have never been used. */
  readonly missingPages: number;
}

interface UnfinishedFile extends BlockMap {
  readonly mode: number;
  readonly modifiedSeconds: number;
}

interface Surroundings {
  readonly directories: Directories;
  readonly syncs: FileSyncs;
  /** Told of each piece that has been written. */
  readonly onBytes: (sizeBytes: number) => void;
}

/** As much is read before what is missing of it is written. */
const pagesAtOnce = 32;

/** More files than are restored side by side. */
const sparesKept = 64;

export function createPatchedFiles({ directories, syncs, onBytes }: Surroundings): PatchedFiles {
  const unfinished = new Map<string, UnfinishedFile>();
  /** Buffers of files that have been read, to be used again: a chain may have a hundred thousand increments. */
  const spareBuffers = createSpares(sparesKept, () => Buffer.allocUnsafeSlow(pagesAtOnce * pageSizeBytes));

  async function writePages(
    pages: AsyncIterable<Uint8Array>,
    blockAt: (index: number) => number,
    blocks: BlockMap,
    file: NewFile,
  ): Promise<void> {
    const buffer = spareBuffers.take();
    let index = 0;
    for await (const bytes of inBlocks(pages, buffer.length, () => buffer)) {
      const pageCount = Math.ceil(bytes.length / pageSizeBytes);
      for (const { first, last } of runs(pageCount, (page) => blockAt(index + page), blocks)) {
        const run = bytes.subarray(first * pageSizeBytes, (last + 1) * pageSizeBytes);
        await file.write(run, blockAt(index + first) * pageSizeBytes);
        onBytes(run.length);
      }
      index += pageCount;
    }
    spareBuffers.giveBack(buffer);
  }

  return {
    async addIncrement(place, entry, what) {
      const { blockCount, blocks, pages } = await readIncrement(entry, what);
      let known = unfinished.get(place);
      const isNewest = known === undefined;
      known ??= {
        ...createBlockMap(blockCount),
        mode: entry.mode & 0o777,
        modifiedSeconds: Math.floor(entry.modifiedAt.getTime() / 1000),
      };
      if (isNewest) await directories.ensure(parentOf(place));
      const file = isNewest ? createNewFile(place, what) : openAgain(place);
      try {
        if (isNewest) file.resize(known.blockCount * pageSizeBytes);
        await writePages(pages, (index) => blocks[index] ?? 0, known, file);
      } finally {
        file.abandon();
      }
      cutOlderBlocks(known, blockCount);
      unfinished.set(place, known);
    },

    async addWhole(place, entry, what) {
      const known = unfinished.get(place);
      if (known === undefined) throw new Error(`${what}, of which no increment has come`);
      unfinished.delete(place);
      const file = openAgain(place);
      let descriptor: number;
      try {
        await writePages(entry.body, (index) => index, known, file);
        descriptor = file.finish(known.mode, new Date(known.modifiedSeconds * 1000));
      } catch (error) {
        file.abandon();
        throw error;
      }
      await syncs.add(descriptor, byteStringAsText(place));
      return { missingPages: known.missingCount };
    },
  };
}

/** The pages to write, put together where they follow each other in the file too. */
function* runs(
  pageCount: number,
  blockAt: (page: number) => number,
  blocks: BlockMap,
): Generator<{ readonly first: number; readonly last: number }> {
  let first: number | undefined;
  for (let page = 0; page < pageCount; page += 1) {
    const isClaimed = claimBlock(blocks, blockAt(page));
    const follows = isClaimed && page > 0 && blockAt(page) === blockAt(page - 1) + 1;
    if (first !== undefined && !follows) yield { first, last: page - 1 };
    if (!isClaimed) first = undefined;
    else if (first === undefined || !follows) first = page;
  }
  if (first !== undefined) yield { first, last: pageCount - 1 };
}

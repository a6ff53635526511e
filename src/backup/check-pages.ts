import type { Context } from '../context.ts';
import type { Lsn } from '../postgres/lsn.ts';
import { pageSizeBytes } from '../postgres/page-checksum.ts';
import { firstBlockOf, parseRelationFileName } from '../postgres/relation-file.ts';
import { verifyPages } from '../postgres/verify-pages.ts';
import type { FilePiece } from './pack-part.ts';

/** Verifies the pages of a backup while its files are read. */
export interface PageVerifier {
  /** Gives the damaged blocks of a piece, counted from the start of its file. */
  check(piece: FilePiece): Promise<readonly number[]>;
  /**
   * Pages that claim to be newer than the end of the backup: nobody can have written them. They pass the check, which takes a
   * page with an LSN behind the start for one that is being written.
   *
   * @param stopLsn - where the backup ends
   */
  findImpossible(stopLsn: Lsn): { readonly path: string; readonly block: number }[];
}

/** Where relations live; the last part is the file's name. */
const relationPath = /^(?:global|base\/\d+|pg_tblspc\/\d+\/PG_[^/]+\/\d+)\/([^/]+)$/;

/** A page that the server is just writing is whole again in far less than this. */
const rereadDelayMs = 50;

/** Readings of a damaged page until it counts, as a slow or remote disk may take its time. */
const readings = 4;

/** @param startLsn - where the backup begins: pages from there on are mended by WAL replay */
export function createPageVerifier(startLsn: Lsn, context: Context): PageVerifier {
  const newest = new Map<string, { block: number; lsn: Lsn }>();
  return {
    async check(piece) {
      const relation = parseRelationFileName(relationPath.exec(piece.path)?.[1] ?? '');
      if (relation === undefined) return [];
      const firstBlockInFork = firstBlockOf(relation);
      const firstBlock = firstBlockInFork + piece.positionBytes / pageSizeBytes;
      let result = verifyPages(piece.bytes, firstBlock, startLsn);
      for (let reading = 2; reading <= readings && result.damaged.length > 0; reading += 1) {
        await context.clock.sleep(rereadDelayMs, context.signal);
        for (const { blockNumber } of result.damaged) await readPage(piece, blockNumber - firstBlock);
        result = verifyPages(piece.bytes, firstBlock, startLsn);
      }
      if (result.newest !== undefined && result.newest.lsn > (newest.get(piece.path)?.lsn ?? 0n)) {
        newest.set(piece.path, { block: result.newest.blockNumber - firstBlockInFork, lsn: result.newest.lsn });
      }
      return result.damaged.map(({ blockNumber }) => blockNumber - firstBlockInFork);
    },
    findImpossible: (stopLsn) =>
      [...newest].filter(([, { lsn }]) => lsn > stopLsn).map(([path, { block }]) => ({ path, block })),
  };
}

/** Reads one page of the piece once more. */
async function readPage({ file, positionBytes, bytes }: FilePiece, index: number): Promise<void> {
  const page = bytes.subarray(index * pageSizeBytes, (index + 1) * pageSizeBytes);
  await file.read(page, positionBytes + index * pageSizeBytes);
}

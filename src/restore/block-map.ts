/**
 * Which blocks of a file have been written. A plain record, and small for a small file: a chain may have a hundred thousand files that are
 * unfinished at the same time.
 */
export interface BlockMap {
  readonly blockCount: number;
  /** Blocks that have not been written. */
  missingCount: number;
  /** Blocks from here on do not come from older backups. */
  limit: number;
  /** A bit for each block: the number itself for a file of a few blocks. */
  written: number | Uint8Array;
}

/** Bits that a number holds without becoming an object of its own. */
const blocksInNumber = 30;

/** @param blockCount - of the file in its final size */
export function createBlockMap(blockCount: number): BlockMap {
  const written = blockCount <= blocksInNumber ? 0 : new Uint8Array(Math.ceil(blockCount / 8));
  return { blockCount, missingCount: blockCount, limit: blockCount, written };
}

/** Whether the block is to be written: it belongs to the file and no newer backup had it. From then on it has been. */
export function claimBlock(map: BlockMap, block: number): boolean {
  if (block >= map.limit) return false;
  const { written } = map;
  if (typeof written === 'number') {
    if ((written & (1 << block)) !== 0) return false;
    map.written = written | (1 << block);
  } else {
    const byte = written[block >> 3] ?? 0;
    const bit = 1 << (block & 7);
    if ((byte & bit) !== 0) return false;
    written[block >> 3] = byte | bit;
  }
  map.missingCount -= 1;
  return true;
}

/**
 * The file had this many blocks at the time of the backup that has just been taken from: what older ones have behind them is from before the
 * file was cut, and does not count.
 */
export function cutOlderBlocks(map: BlockMap, blockCount: number): void {
  map.limit = Math.min(map.limit, blockCount);
}

/** Which blocks of a file have been written. */
export interface BlockMap {
  /** Whether the block is to be written: it belongs to the file and no newer backup had it. From then on it has been. */
  claim(block: number): boolean;
  /**
   * The file had this many blocks at the time of the backup that has just been taken from: what older ones have behind them is from before
   * the file was cut, and does not count.
   */
  cutOlder(blockCount: number): void;
  /** Blocks that have not been written. */
  missingCount(): number;
}

/** @param blockCount - of the file in its final size */
export function createBlockMap(blockCount: number): BlockMap {
  const written = new Uint8Array(Math.ceil(blockCount / 8));
  let missing = blockCount;
  let limit = blockCount;
  return {
    claim(block) {
      const index = block >> 3;
      const bit = 1 << (block & 7);
      const byte = written[index] ?? 0;
      if (block >= limit || (byte & bit) !== 0) return false;
      written[index] = byte | bit;
      missing -= 1;
      return true;
    },
    cutOlder(count) {
      limit = Math.min(limit, count);
    },
    missingCount: () => missing,
  };
}

/**
 * Collects a stream's pieces, most of them small, into blocks of one size: a compressor that is handed 512 bytes at a time is mostly
 * idle.
 */
export interface Chunk {
  /** Bytes that may still be reserved: more than {@link ChunkOptions.spareBytes} while no block is full. */
  readonly freeBytes: number;
  /** Whether a block can be taken. */
  readonly isFull: boolean;
  /** Gives the next part of the buffer to fill in place, before the next `take`. It must fit. */
  reserve(sizeBytes: number): Uint8Array;
  /** The full block; what goes beyond it begins the next one. */
  take(): Uint8Array;
  /** The rest, less than a block. */
  end(): Uint8Array;
}

export interface ChunkOptions {
  readonly blockBytes: number;
  /** How far a piece may go beyond a block, so that it need not be cut. */
  readonly spareBytes: number;
  /** Whether a block's memory may be used again as soon as the next one has been taken. */
  readonly reuse: boolean;
}

export function createChunk({ blockBytes, spareBytes, reuse }: ChunkOptions): Chunk {
  const allocate = () => Buffer.allocUnsafeSlow(blockBytes + spareBytes);
  let buffer: Buffer = allocate();
  let other: Buffer | undefined;
  let used = 0;
  return {
    get freeBytes() {
      return buffer.byteLength - used;
    },
    get isFull() {
      return used >= blockBytes;
    },
    reserve(sizeBytes) {
      const space = buffer.subarray(used, used + sizeBytes);
      used += sizeBytes;
      return space;
    },
    take() {
      const full = buffer.subarray(0, blockBytes);
      const rest = buffer.subarray(blockBytes, used);
      const next = other ?? allocate();
      if (reuse) other = buffer;
      buffer = next;
      buffer.set(rest);
      used = rest.byteLength;
      return full;
    },
    end: () => buffer.subarray(0, used),
  };
}

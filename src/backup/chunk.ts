/**
 * Collects a stream's pieces, most of them small, into blocks of exactly one size: a compressor that is handed 512 bytes at a time
 * is mostly idle, and one that is handed its own block size need not copy.
 */
export interface Chunk {
  /** Bytes that may still be reserved or appended; at least {@link ChunkSizes.spareBytes} when no block is full. */
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

export interface ChunkSizes {
  readonly blockBytes: number;
  /** How far a piece may go beyond a block, so that it need not be cut. */
  readonly spareBytes: number;
}

export function createChunk({ blockBytes, spareBytes }: ChunkSizes): Chunk {
  const allocate = () => Buffer.allocUnsafeSlow(blockBytes + spareBytes);
  let buffer = allocate();
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
      buffer = allocate();
      buffer.set(rest);
      used = rest.byteLength;
      return full;
    },
    end: () => buffer.subarray(0, used),
  };
}

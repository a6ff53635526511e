/** Collects small writes into large buffers: a compressor that is handed 512 bytes at a time is mostly idle. */
export interface Chunk {
  /** What still fits before {@link Chunk.take} must be called. */
  readonly freeBytes: number;
  /** Copies bytes behind what is there. They must fit. */
  append(bytes: Uint8Array): void;
  /** Gives the next part of the buffer to fill in place. It must fit, and must be filled before `take`. */
  reserve(sizeBytes: number): Uint8Array;
  /** What has been collected; the next bytes go into a new buffer. */
  take(): Uint8Array;
}

export function createChunk(sizeBytes: number): Chunk {
  let buffer = Buffer.allocUnsafeSlow(sizeBytes);
  let used = 0;
  return {
    get freeBytes() {
      return sizeBytes - used;
    },
    append(bytes) {
      buffer.set(bytes, used);
      used += bytes.byteLength;
    },
    reserve(wanted) {
      const space = buffer.subarray(used, used + wanted);
      used += wanted;
      return space;
    },
    take() {
      const full = buffer.subarray(0, used);
      buffer = Buffer.allocUnsafeSlow(sizeBytes);
      used = 0;
      return full;
    },
  };
}

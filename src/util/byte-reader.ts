/** Reads a stream of chunks by sizes of the reader's own choice. Disposing of it closes the source. */
export interface ByteReader extends AsyncDisposable {
  /** The next bytes: exactly this many, or fewer when the stream ends. What lies within one chunk is a view of it, not a copy. */
  read(sizeBytes: number): Promise<Uint8Array>;
  /** The next bytes, at least one and at most so many, as they come; undefined at the end of the stream. Never a copy. */
  readSome(maximumBytes: number): Promise<Uint8Array | undefined>;
  /** Passes over this many bytes and says how many there were. */
  skip(sizeBytes: number): Promise<number>;
  /** All that has not been read yet, chunk by chunk. */
  rest(): AsyncGenerator<Uint8Array>;
}

export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let chunk = new Uint8Array();
  let offset = 0;
  let hasEnded = false;

  const readSome = async (maximumBytes: number): Promise<Uint8Array | undefined> => {
    while (offset === chunk.length) {
      if (hasEnded) return undefined;
      const next = await iterator.next();
      hasEnded = next.done === true;
      chunk = next.value ?? new Uint8Array();
      offset = 0;
    }
    const piece = chunk.subarray(offset, offset + maximumBytes);
    offset += piece.length;
    return piece;
  };

  return {
    readSome,

    async read(sizeBytes) {
      const first = await readSome(sizeBytes);
      if (first === undefined || first.length === sizeBytes) return first ?? new Uint8Array();
      const bytes = Buffer.allocUnsafeSlow(sizeBytes);
      bytes.set(first);
      let filledBytes = first.length;
      while (filledBytes < sizeBytes) {
        const piece = await readSome(sizeBytes - filledBytes);
        if (piece === undefined) break;
        bytes.set(piece, filledBytes);
        filledBytes += piece.length;
      }
      return bytes.subarray(0, filledBytes);
    },

    async skip(sizeBytes) {
      let skippedBytes = 0;
      while (skippedBytes < sizeBytes) {
        const piece = await readSome(sizeBytes - skippedBytes);
        if (piece === undefined) break;
        skippedBytes += piece.length;
      }
      return skippedBytes;
    },

    async *rest() {
      for (;;) {
        const piece = await readSome(Number.POSITIVE_INFINITY);
        if (piece === undefined) return;
        yield piece;
      }
    },

    async [Symbol.asyncDispose]() {
      if (!hasEnded) await iterator.return?.();
    },
  };
}

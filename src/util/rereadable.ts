import { createByteReader } from './byte-reader.ts';

/** A stream that can be read again from its beginning, until it is told to let go. Disposing of it closes the source. */
export interface Rereadable extends AsyncDisposable {
  /** The first bytes; fewer when the stream is shorter. Comes before or after {@link Rereadable.chunks}, not while those are read. */
  beginning(sizeBytes: number): Promise<Buffer>;
  /** The stream from its beginning; whoever stops reading it early does not close the source. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Keeps nothing in memory from now on. What {@link Rereadable.chunks} has given goes on; no other beginning can be read. */
  letGo(): void;
}

export function rereadable(source: AsyncIterable<Uint8Array>): Rereadable {
  const reader = createByteReader(source);
  let kept: Buffer[] = [];
  let isKeeping = true;

  async function next(maximumBytes: number): Promise<Uint8Array | undefined> {
    const piece = await reader.readSome(maximumBytes);
    // A copy: the source may use its memory again.
    if (piece !== undefined && isKeeping) kept.push(Buffer.from(piece));
    return piece;
  }

  async function* readOn(before: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
    yield* before;
    for (;;) {
      const piece = await next(Number.POSITIVE_INFINITY);
      if (piece === undefined) return;
      yield piece;
    }
  }

  return {
    async beginning(sizeBytes) {
      let missingBytes = sizeBytes - kept.reduce((sum, piece) => sum + piece.length, 0);
      while (missingBytes > 0) {
        const piece = await next(missingBytes);
        if (piece === undefined) break;
        missingBytes -= piece.length;
      }
      return Buffer.concat(kept).subarray(0, sizeBytes);
    },

    chunks: () => readOn([...kept]),

    letGo() {
      kept = [];
      isKeeping = false;
    },

    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  };
}

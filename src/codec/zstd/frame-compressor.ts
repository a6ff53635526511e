import { constants, createZstdCompress, type ZstdOptions } from 'node:zlib';

/** Makes frame after frame with one zstd context: to set one up takes longer than to compress a mebibyte. */
export interface FrameCompressor extends Disposable {
  /**
   * Compresses one more block of the frame; one at a time. Gives what is there of the frame by then, and the block's memory is free
   * again when this resolves.
   */
  add(block: Uint8Array): Promise<readonly Uint8Array[]>;
  /** Ends the frame, and gives the rest of it. The next block begins another one. */
  end(): Promise<readonly Uint8Array[]>;
}

/** A compressor on the thread pool. Disposing of it frees the context. */
export function createFrameCompressor(options: ZstdOptions): FrameCompressor {
  const stream = createZstdCompress(options);
  let pieces: Uint8Array[] = [];
  let reject: (error: unknown) => void = () => undefined;
  stream.on('data', (piece: Uint8Array) => pieces.push(piece));
  stream.on('error', (error) => reject(error));

  const piecesOf = (work: (done: () => void) => void): Promise<readonly Uint8Array[]> =>
    new Promise((resolve, rejectThis) => {
      reject = rejectThis;
      pieces = [];
      work(() => {
        // A piece that came later would end up behind those of the next call.
        if (stream.readableLength > 0) rejectThis(new Error('node:zlib holds back a part of a zstd frame'));
        else resolve(pieces);
      });
    });
  return {
    add: (block) => piecesOf((done) => stream.write(block, done)),
    end: () => piecesOf((done) => stream.flush(constants.ZSTD_e_end, done)),
    [Symbol.dispose]: () => {
      stream.destroy();
    },
  };
}

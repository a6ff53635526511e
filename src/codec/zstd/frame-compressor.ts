import { constants, createZstdCompress, type ZstdOptions } from 'node:zlib';

/** Makes frame after frame with one zstd context: to set one up for each frame takes a seventh of the whole time. */
export interface FrameCompressor extends Disposable {
  /** One whole frame of this block, in pieces. One block at a time; the block's memory is free again when this resolves. */
  compress(block: Uint8Array): Promise<readonly Uint8Array[]>;
}

/** A compressor on the thread pool. Disposing of it frees the context. */
export function createFrameCompressor(options: ZstdOptions): FrameCompressor {
  const stream = createZstdCompress(options);
  let pieces: Uint8Array[] = [];
  let reject: (error: unknown) => void = () => undefined;
  stream.on('data', (piece: Uint8Array) => pieces.push(piece));
  stream.on('error', (error) => reject(error));
  return {
    compress: (block) =>
      new Promise((resolve, rejectThis) => {
        reject = rejectThis;
        pieces = [];
        stream.write(block);
        stream.flush(constants.ZSTD_e_end, () => {
          // A piece that came later would end up in the next frame.
          if (stream.readableLength > 0) rejectThis(new Error('node:zlib holds back a part of a zstd frame'));
          else resolve(pieces);
        });
      }),
    [Symbol.dispose]: () => {
      stream.destroy();
    },
  };
}

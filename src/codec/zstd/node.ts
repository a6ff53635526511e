import { availableParallelism } from 'node:os';
import { constants, createZstdDecompress, type ZstdOptions, zstdCompress } from 'node:zlib';
import { pMapIterable } from 'p-map';
import { IntegrityError, systemErrorCode } from '../../errors.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import { createSpares, type Spares } from '../../util/spares.ts';
import { throughStream } from '../through-stream.ts';
import { maximumWindowLog, type ZstdEngine } from './engine.ts';
import { createFrameCompressor, type FrameCompressor } from './frame-compressor.ts';
import { cutAtFrameEnds } from './frame-ends.ts';

/**
 * Plain bytes per frame. Frames know nothing of each other, so smaller ones compress less and larger ones cost memory: with 2 MiB
 * WAL and heap files come out within 0.2 % of one single frame at level 3, and within 1.6 % at any level.
 */
const frameSizeBytes = 2 * 1024 * 1024;

/** What is allocated for the output of a frame at a time. Most frames take less than half of their plain size. */
const outputChunkBytes = frameSizeBytes / 2;

/** Frames of one stream compressed at a time: all cores, but no more than the threads of Node's pool, four by default. */
const framesSideBySide = Math.min(availableParallelism(), 4);

/** Output of the decoder per round trip to the thread pool; 16 times slower rates were seen with Node's default of 16 KiB. */
const decodedChunkSizeBytes = 1024 * 1024;

/** What is kept for the next stream, of each kind: enough for two streams side by side, 16 MiB of blocks and as much of contexts. */
const sparesKept = 8;

/**
 * zstd of Node itself. A stream becomes a row of frames that the thread pool compresses side by side, which uses every core for
 * one segment; concatenated frames are as good a zstd file as one (RFC 8878, section 3). The option `nbWorkers` is no substitute:
 * with node:zlib it gives empty or truncated output without an error.
 */
export function nodeZstd(level: number): ZstdEngine {
  // Used again by stream after stream: V8 counts both as garbage of its own, and would clean up at every second segment.
  const blocks = createSpares<Uint8Array<ArrayBuffer>>(sparesKept, () => Buffer.allocUnsafeSlow(frameSizeBytes));
  const compressors = createSpares(
    sparesKept,
    () => createFrameCompressor(optionsOf(level)),
    (compressor) => compressor[Symbol.dispose](),
  );
  return {
    encode: (source) => encodeFrames(source, level, { blocks, compressors }),
    decode,
  };
}

interface FrameTools {
  readonly blocks: Spares<Uint8Array<ArrayBuffer>>;
  readonly compressors: Spares<FrameCompressor>;
}

async function* encodeFrames(
  source: AsyncIterable<Uint8Array>,
  level: number,
  { blocks, compressors }: FrameTools,
): AsyncGenerator<Uint8Array> {
  let isEmpty = true;
  const compressBlock = async (block: Uint8Array<ArrayBuffer>): Promise<readonly Uint8Array[]> => {
    if (block.length < frameSizeBytes) return [await compressFrame(block, level)];
    const compressor = compressors.take();
    const frame = await compressor.compress(block);
    compressors.giveBack(compressor);
    blocks.giveBack(block);
    return frame;
  };
  const frames = pMapIterable(inBlocks(source, frameSizeBytes, blocks.take), compressBlock, {
    concurrency: framesSideBySide,
    // One more, so that a core does not idle while the consumer takes the frame that is ready.
    backpressure: framesSideBySide + 1,
  });
  for await (const frame of frames) {
    isEmpty = false;
    yield* frame;
  }
  // A zstd file has at least one frame; without it, an empty object could not be told from a lost one.
  if (isEmpty) yield await compressFrame(new Uint8Array(), level);
}

/** A frame that says how many plain bytes it holds. */
function compressFrame(block: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zstdCompress(block, { ...optionsOf(level), pledgedSrcSize: block.length }, (error, frame) =>
      error === null ? resolve(frame) : reject(error),
    );
  });
}

function optionsOf(level: number): ZstdOptions {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
    chunkSize: outputChunkBytes,
  };
}

async function* decode(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = createZstdDecompress({
    params: { [constants.ZSTD_d_windowLogMax]: maximumWindowLog },
    chunkSize: decodedChunkSizeBytes,
  });
  try {
    yield* throughStream(cutAtFrameEnds(source), decoder);
  } catch (error) {
    if (!isZstdError(error)) throw error;
    throw new IntegrityError('zstd data is damaged or truncated', { cause: error });
  }
}

function isZstdError(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'Z_BUF_ERROR' || code?.startsWith('ZSTD_error_') === true;
}

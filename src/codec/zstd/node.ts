import { constants, createZstdDecompress, type ZstdOptions, zstdCompress } from 'node:zlib';
import { IntegrityError, systemErrorCode } from '../../errors.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import { createSpares, type Spares } from '../../util/spares.ts';
import { throughStream } from '../through-stream.ts';
import { maximumWindowLog, type ZstdEngine } from './engine.ts';
import { createFrameCompressor, type FrameCompressor } from './frame-compressor.ts';
import { cutAtFrameEnds } from './frame-ends.ts';

/** Plain bytes per round trip to the thread pool. A stream has up to two such blocks: one is filled while the other is compressed. */
const blockSizeBytes = 2 * 1024 * 1024;

/** What is allocated for the output at a time. Most blocks take less than half of their plain size. */
const outputChunkBytes = blockSizeBytes / 2;

/** Output of the decoder per round trip to the thread pool; 16 times slower rates were seen with Node's default of 16 KiB. */
const decodedChunkSizeBytes = 1024 * 1024;

/** What is kept for the next stream, of each kind: enough for four streams side by side, 16 MiB of blocks and twice that of contexts. */
const sparesKept = 8;

/**
 * zstd of Node itself. A stream becomes one single frame: concatenated frames are as good a zstd file (RFC 8878, section 3), but
 * WAL-RUS reads the first one only and takes its end for that of the file, without an error. The option `nbWorkers` would compress
 * one frame on several cores; with node:zlib it gives empty or truncated output without an error.
 */
export function nodeZstd(level: number): ZstdEngine {
  // Used again by stream after stream: V8 counts both as garbage of its own, and would clean up at every second segment.
  const blocks = createSpares<Uint8Array<ArrayBuffer>>(sparesKept, () => Buffer.allocUnsafeSlow(blockSizeBytes));
  const compressors = createSpares(
    sparesKept,
    () => createFrameCompressor(optionsOf(level)),
    (compressor) => compressor[Symbol.dispose](),
  );
  return {
    encode: (source) => encodeFrame(source, level, { blocks, compressors }),
    decode,
  };
}

interface FrameTools {
  readonly blocks: Spares<Uint8Array<ArrayBuffer>>;
  readonly compressors: Spares<FrameCompressor>;
}

async function* encodeFrame(
  source: AsyncIterable<Uint8Array>,
  level: number,
  { blocks, compressors }: FrameTools,
): AsyncGenerator<Uint8Array> {
  let compressor: FrameCompressor | undefined;
  let underWay: Promise<readonly Uint8Array[]> = Promise.resolve([]);
  try {
    for await (const block of inBlocks(source, blockSizeBytes, blocks.take)) {
      if (compressor === undefined && block.length < blockSizeBytes) {
        yield await compressFrame(block, level);
        return;
      }
      const pieces = await underWay;
      compressor ??= compressors.take();
      underWay = compressBlock(compressor, block);
      // It is waited for only when the next block is there, and not at all when the source fails before.
      underWay.catch(() => undefined);
      yield* pieces;
    }
    if (compressor === undefined) {
      // A zstd file has at least one frame; without it, an empty object could not be told from a lost one.
      yield await compressFrame(new Uint8Array(), level);
      return;
    }
    yield* await underWay;
    const rest = await compressor.end();
    compressors.giveBack(compressor);
    compressor = undefined;
    yield* rest;
  } finally {
    // What stopped in the middle of a frame must not begin the next one.
    compressor?.[Symbol.dispose]();
  }

  async function compressBlock(into: FrameCompressor, block: Uint8Array<ArrayBuffer>): Promise<readonly Uint8Array[]> {
    const pieces = await into.add(block);
    if (block.length === blockSizeBytes) blocks.giveBack(block);
    return pieces;
  }
}

/** A frame that says how many plain bytes it holds. */
function compressFrame(block: Uint8Array, level: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zstdCompress(block, { ...optionsOf(level), pledgedSrcSize: block.length }, (error, frame) =>
      error === null ? resolve(frame) : reject(error),
    );
  });
}

/**
 * At level 3, the usual one: two tables of 128 KiB, which stay in a core's own cache, to find repetitions with. WAL, heap and index files
 * take a fifth less time with them than with the level's own tables of three times that size, and come out between 3 % smaller and 1 %
 * larger.
 */
const tablesByLevel: Readonly<Record<number, ZstdOptions['params']>> = {
  3: { [constants.ZSTD_c_hashLog]: 15, [constants.ZSTD_c_chainLog]: 15 },
};

function optionsOf(level: number): ZstdOptions {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1, ...tablesByLevel[level] },
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

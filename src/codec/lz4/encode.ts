import { setImmediate as nextTurn } from 'node:timers/promises';
import { pMapIterable } from 'p-map';
import { inBlocks } from '../../util/in-blocks.ts';
import { createSpares } from '../../util/spares.ts';
import { formatFrameHeader, writtenBlockSizeBytes } from './frame.ts';
import { type Lz4Checksum, type Lz4Library, loadLz4 } from './library.ts';
import { createPackingThreads } from './packing-threads.ts';

/**
 * So many plain bytes a process packs on the thread of the event loop, before it starts threads for what follows: to start them takes as
 * long as to pack two segments, which PostgreSQL would wait for where a process has one to push.
 */
const packedWithoutThreadsBytes = 64 * 1024 * 1024;

let packedBytes = 0;

const threads = createPackingThreads();

/** Enough for the streams of a few segments or parts side by side. */
const sparesKept = 4;

const spareBlocks = createSpares(sparesKept, () => Buffer.allocUnsafeSlow(writtenBlockSizeBytes));

/** Compresses a stream into one frame. */
export async function* encodeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const lz4 = await loadLz4();
  const checksum = lz4.createChecksum();
  yield formatFrameHeader(lz4);
  if (packedBytes < packedWithoutThreadsBytes) yield* packInTurn(source, checksum, lz4);
  else yield* packInThreads(source, checksum);
  const endMarkAndChecksum = Buffer.alloc(8);
  endMarkAndChecksum.writeUInt32LE(checksum.digest(), 4);
  yield endMarkAndChecksum;
}

async function* packInTurn(
  source: AsyncIterable<Uint8Array>,
  checksum: Lz4Checksum,
  lz4: Lz4Library,
): AsyncGenerator<Uint8Array> {
  // Nothing of a block is in use when the next one is asked for.
  const buffer = spareBlocks.take();
  for await (const block of inBlocks(source, writtenBlockSizeBytes, () => buffer)) {
    checksum.update(block);
    packedBytes += block.length;
    yield lz4.pack(block);
    // Only between two turns of the event loop does Node free what the library has released.
    await nextTurn();
  }
  spareBlocks.giveBack(buffer);
}

/** A block of each stream at a time: segments and parts go side by side, and each block in flight costs memory. */
function packInThreads(source: AsyncIterable<Uint8Array>, checksum: Lz4Checksum): AsyncIterable<Uint8Array> {
  const pack = async (block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
    checksum.update(block);
    const { packed, plain } = await threads.pack(block);
    spareBlocks.giveBack(Buffer.from(plain.buffer));
    return packed;
  };
  return pMapIterable(inBlocks(source, writtenBlockSizeBytes, spareBlocks.take), pack, {
    concurrency: 1,
  });
}

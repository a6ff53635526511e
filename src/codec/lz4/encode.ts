import { setImmediate as nextTurn } from 'node:timers/promises';
import { pMapIterable } from 'p-map';
import { inBlocks } from '../../util/in-blocks.ts';
import { createSpares } from '../../util/spares.ts';
import { formatFrameHeader, writtenBlockSizeBytes } from './frame.ts';
import { type Lz4Library, loadLz4 } from './library.ts';
import { createPackingThread } from './packing-thread.ts';

/**
 * So many plain bytes a process packs on the thread of the event loop, before it starts another one to share the work with: to start that
 * takes as long as to pack two segments, and costs memory, which PostgreSQL would pay for where a process has one to push.
 */
const packedAloneBytes = 64 * 1024 * 1024;

let packedBytes = 0;

/** One is enough: together they pack 1.5 GB a second, and its garbage takes up to 50 MiB. */
const thread = createPackingThread();

/** Enough for the streams of a few segments or parts side by side. */
const sparesKept = 4;

const spareBlocks = createSpares<Uint8Array<ArrayBuffer>>(sparesKept, () =>
  Buffer.allocUnsafeSlow(writtenBlockSizeBytes),
);

/** Compresses a stream into one frame. */
export async function* encodeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const lz4 = await loadLz4();
  const checksum = lz4.createChecksum();
  const pack = async (block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
    checksum.update(block);
    packedBytes += block.length;
    return packedBytes > packedAloneBytes && !thread.isBusy ? await packInThread(block) : await packHere(block, lz4);
  };
  yield formatFrameHeader(lz4);
  // A block of each stream at a time: segments and parts go side by side, and each block in flight costs memory.
  yield* pMapIterable(inBlocks(source, writtenBlockSizeBytes, spareBlocks.take), pack, { concurrency: 1 });
  const endMarkAndChecksum = Buffer.alloc(8);
  endMarkAndChecksum.writeUInt32LE(checksum.digest(), 4);
  yield endMarkAndChecksum;
}

async function packInThread(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { packed, plain } = await thread.pack(block);
  spareBlocks.giveBack(new Uint8Array(plain.buffer));
  return packed;
}

async function packHere(block: Uint8Array<ArrayBuffer>, lz4: Lz4Library): Promise<Uint8Array> {
  const packed = lz4.pack(block);
  spareBlocks.giveBack(new Uint8Array(block.buffer));
  // Only between two turns of the event loop does Node free what the library has released.
  await nextTurn();
  return packed;
}

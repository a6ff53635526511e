import { setImmediate as nextTurn } from 'node:timers/promises';
import { inBlocks } from '../../util/in-blocks.ts';
import type { Codec } from '../codec.ts';
import { decodeLz4 } from './decode.ts';
import { formatFrameHeader, writtenBlockSizeBytes } from './frame.ts';
import { loadLz4 } from './library.ts';

/**
 * LZ4 frames. We write exactly one, which is all that WAL-G reads: independent blocks of 4 MiB and a content checksum. We read any
 * number of frames, with blocks of any size, dependent or not, and skippable ones among them; whatever checksums they have are
 * verified. Frames made for a dictionary and those of the legacy format are refused.
 *
 * @see LZ4 Frame Format Description 1.6.3
 */
export const lz4Codec: Codec = {
  name: 'lz4',
  suffix: 'lz4',
  encode: encodeLz4,
  releasesChunks: true,
  decode: decodeLz4,
};

async function* encodeLz4(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const lz4 = await loadLz4();
  const checksum = lz4.createChecksum();
  yield formatFrameHeader(lz4);
  // Nothing of a block is in use when the next one is asked for.
  const buffer = Buffer.allocUnsafeSlow(writtenBlockSizeBytes);
  for await (const block of inBlocks(source, writtenBlockSizeBytes, () => buffer)) {
    checksum.update(block);
    yield lz4.pack(block);
    // Only between two turns of the event loop does Node free what the library has released.
    await nextTurn();
  }
  const endMarkAndChecksum = Buffer.alloc(8);
  endMarkAndChecksum.writeUInt32LE(checksum.digest(), 4);
  yield endMarkAndChecksum;
}

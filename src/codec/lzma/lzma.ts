import { setImmediate as nextTurn } from 'node:timers/promises';
import { createByteReader } from '../../util/byte-reader.ts';
import { inBlocks } from '../../util/in-blocks.ts';
import type { Codec } from '../codec.ts';
import { createLzmaDecoder } from './decoder.ts';
import { createLzmaEncoder, largestFeedBytes } from './encoder.ts';
import { formatLzmaHeader, lzmaHeaderBytes, parseLzmaHeader, writtenHeader } from './header.ts';

/**
 * LZMA in the container `.lzma` ("LZMA_alone"): a header, then data up to an end mark or the size in the header. There is no
 * checksum; damage is noticed where it leads the decoder astray, which it does nearly always. Whoever needs the bytes has to check
 * them.
 *
 * Written out here because the packages that wrap a library decode whole buffers only, ignore what follows the end, or cannot be
 * installed by the npm of Node 20.
 *
 * @see doc/lzma-file-format.txt of XZ Utils; lzma-specification.txt of the LZMA SDK
 */
export const lzmaCodec: Codec = { name: 'lzma', suffix: 'lzma', encode, decode };

async function* encode(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const encoder = createLzmaEncoder(writtenHeader);
  yield formatLzmaHeader(writtenHeader);
  for await (const block of inBlocks(source, largestFeedBytes)) {
    yield encoder.encode(block);
    await nextTurn();
  }
  yield encoder.finish();
}

/** The work is done on the thread of the event loop, which comes round after every piece of some milliseconds. */
async function* decode(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  await using reader = createByteReader(source);
  const decoder = createLzmaDecoder(parseLzmaHeader(await reader.read(lzmaHeaderBytes)));
  for (let isLast = false; !isLast; ) {
    const bytes = await reader.read(largestFeedBytes);
    isLast = bytes.length < largestFeedBytes;
    for (const piece of decoder.decode(bytes, isLast)) {
      yield piece;
      await nextTurn();
    }
  }
}

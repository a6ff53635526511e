import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import type { Codec } from './codec.ts';
import { throughStream } from './through-stream.ts';
import { zlibChunkSizeBytes, zlibDecode } from './zlib-decode.ts';

/** WAL-G's choice, of 0 to 11. */
const quality = 3;

const params = { [constants.BROTLI_PARAM_QUALITY]: quality };

/**
 * Brotli, one raw stream. The format has no checksum: truncation and breaches of the format are noticed, a flipped bit may pass as
 * other content, so whoever needs the bytes has to check them.
 *
 * @see RFC 7932
 */
export const brotliCodec: Codec = {
  name: 'brotli',
  suffix: 'br',
  async *encode(source) {
    yield* throughStream(source, createBrotliCompress({ params, chunkSize: zlibChunkSizeBytes }));
  },
  decode: (source) => zlibDecode('brotli', source, () => createBrotliDecompress({ chunkSize: zlibChunkSizeBytes })),
};

import { createGunzip, createGzip } from 'node:zlib';
import type { Codec } from './codec.ts';
import { throughStream } from './through-stream.ts';
import { zlibChunkSizeBytes, zlibDecode } from './zlib-decode.ts';

/**
 * gzip, with a CRC-32 at the end of each member. WAL-G reads such objects but writes none; several members are read as one.
 *
 * @see RFC 1952
 */
export const gzipCodec: Codec = {
  name: 'gzip',
  suffix: 'gz',
  async *encode(source) {
    yield* throughStream(source, createGzip({ chunkSize: zlibChunkSizeBytes }));
  },
  decode: (source) => zlibDecode('gzip', source, () => createGunzip({ chunkSize: zlibChunkSizeBytes })),
};

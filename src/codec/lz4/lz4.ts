import type { Codec } from '../codec.ts';
import { decodeLz4 } from './decode.ts';
import { encodeLz4 } from './encode.ts';

/**
 * LZ4 frames. We write exactly one, which is all that WAL-G reads: independent blocks of up to 4 MiB and a content checksum. We read any
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

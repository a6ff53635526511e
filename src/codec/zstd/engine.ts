import type { Codec } from '../codec.ts';

/** What compresses and decompresses behind the codec `zstd`. */
export type ZstdEngine = Pick<Codec, 'encode' | 'decode'>;

/** Largest window that we read, as a power of two: 512 MiB, which is also WAL-G's limit. */
export const maximumWindowLog = 29;

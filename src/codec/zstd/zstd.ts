import { ConfigError } from '../../errors.ts';
import type { Codec } from '../codec.ts';
import { napiZstd } from './napi.ts';
import { nodeZstd } from './node.ts';

/** What runs zstd: Node itself, or the optional package `zstd-napi`. Each reads what the other wrote. */
export type ZstdEngineName = 'node' | 'napi';

export interface ZstdOptions {
  /** 1, fastest, to 19, smallest; higher ones would need more memory on reading, too. */
  readonly level: number;
  readonly engine: ZstdEngineName;
}

/**
 * Zstandard, one frame with a content checksum. Concatenated and skippable frames and windows up to 512 MiB are read. An object
 * that is cut off exactly between two frames is a valid, shorter object: whoever knows the plain size compares it.
 *
 * @throws {@link ConfigError} when the level does not exist or the engine is not installed
 * @see RFC 8878
 */
export function zstdCodec({ level, engine }: ZstdOptions): Codec {
  if (!Number.isInteger(level) || level < 1 || level > 19) {
    throw new ConfigError(`zstd level ${level} does not exist`, { hint: 'Choose a whole number from 1 to 19.' });
  }
  const { encode, decode } = engine === 'napi' ? napiZstd(level) : nodeZstd(level);
  // Both engines copy what they are given into blocks of their own.
  return { name: 'zstd', suffix: 'zst', encode, decode, releasesChunks: true };
}

/**
 * A compression format. Encoding and decoding are streams in both directions: memory stays bounded whatever the size.
 * One file or folder per format; `codecs.ts` is the table that names them.
 */
export interface Codec {
  /** The setting's value: `zstd`, `none`, … */
  readonly name: string;
  /** What follows the last dot of the key, `zst`; empty for `none`. */
  readonly suffix: string;
  /**
   * Compresses the stream into one object. Chunks may be read after the next one has been asked for: they must not change, unless
   * {@link Codec.releasesChunks}.
   */
  encode(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** Whether `encode` is done with a chunk when it asks for the next one, so that the chunk's memory may be used again. */
  readonly releasesChunks?: boolean;
  /**
   * Restores the plain bytes. A stream that is damaged, truncated or followed by anything else throws an
   * {@link IntegrityError}; it never ends early in silence.
   */
  decode(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

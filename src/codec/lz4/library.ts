import { IntegrityError } from '../../errors.ts';
import { loadLibrary } from '../../util/load-library.ts';
import { keep, packBlock, sizeFieldBytes } from './pack-block.ts';

/** A running xxHash-32, seed 0. */
export interface Lz4Checksum {
  update(bytes: Uint8Array): unknown;
  digest(): number;
}

/**
 * What the packages `lz4-napi` (blocks) and `@node-rs/xxhash` give us to read and write frames with. The work is done on the thread
 * of the event loop, 2 to 8 ms for a block of 4 MiB: the package's functions for the thread pool keep up to 1.7 GB in their allocator.
 */
export interface Lz4Library {
  /** The block with its size ahead, as a frame holds it: compressed, or as it is where that is not larger. */
  pack(plain: Uint8Array): Uint8Array;
  /**
   * The plain bytes of a compressed block.
   *
   * @param maximumSizeBytes - of the plain bytes
   * @param history - what went before, up to 64 KiB, when the block depends on it
   * @throws {@link IntegrityError} when it is no such block
   */
  unpack(stored: Uint8Array, maximumSizeBytes: number, history?: Uint8Array): Uint8Array;
  checksum(bytes: Uint8Array): number;
  createChecksum(): Lz4Checksum;
}

/** @throws {@link ConfigError} when one of the packages is not installed */
export async function loadLz4(): Promise<Lz4Library> {
  const { compressSync, uncompressSync } = await loadLibrary('lz4-napi', () => import('lz4-napi'));
  const { Xxh32, xxh32 } = await loadLibrary('@node-rs/xxhash', () => import('@node-rs/xxhash'));
  let scratch = Buffer.alloc(0);
  return {
    pack: (plain) => packBlock(plain, compressSync),

    unpack(stored, maximumSizeBytes, history) {
      const sizeBytes = sizeFieldBytes + stored.length;
      if (scratch.length < sizeBytes) scratch = Buffer.allocUnsafeSlow(sizeBytes);
      scratch.writeUInt32LE(maximumSizeBytes);
      scratch.set(stored, sizeFieldBytes);
      try {
        return keep(uncompressSync(scratch.subarray(0, sizeBytes), history));
      } catch (error) {
        throw new IntegrityError('lz4 block is damaged', { cause: error });
      }
    },

    checksum: (bytes) => xxh32(bytes),
    createChecksum: () => new Xxh32(),
  };
}

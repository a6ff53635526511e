import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';

/** What PostgreSQL may put into a backup manifest for each file, besides `NONE`. */
export const fileChecksumAlgorithms = ['CRC32C', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const;

export type FileChecksumAlgorithm = (typeof fileChecksumAlgorithms)[number];

/** Takes the bytes of a file as they pass by. */
export interface FileChecksum {
  readonly algorithm: FileChecksumAlgorithm;
  update(bytes: Uint8Array): void;
  /** The checksum as the manifest writes it, in lower-case hex; the last call. */
  digest(): string;
}

/**
 * A checksum of one file, as a backup manifest holds it. CRC-32C is written with its bytes in little-endian order.
 *
 * @see postgres src/common/checksum_helper.c
 */
export function createFileChecksum(algorithm: FileChecksumAlgorithm): FileChecksum {
  if (algorithm !== 'CRC32C') {
    const hash = createHash(algorithm.toLowerCase());
    return { algorithm, update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  }
  let crc = 0;
  return {
    algorithm,
    update: (bytes) => {
      crc = crc32c(bytes, crc);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(crc);
      return bytes.toString('hex');
    },
  };
}

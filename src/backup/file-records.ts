/**
 * What the backup knows of its files. A cluster may have a million of them, so both tables are columns of plain numbers and
 * strings instead of objects: about 100 bytes a file.
 */

/** Everything that the walk found, in the order in which it was found; an index names a file from here on. */
export interface FoundFiles {
  /** Byte strings relative to the data directory, e.g. `base/1/259`; empty for the data directory itself. */
  readonly paths: string[];
  /** Sizes when they were found; {@link directoryMark} for a directory. */
  readonly sizesBytes: number[];
}

/** In the place of a size. */
export const directoryMark = -1;

/** What one file is in its part: exactly the bytes that a restore gives. */
export interface FileRecord {
  readonly sizeBytes: number;
  /** When the file had last been changed as its reading began, nanoseconds since 1970; 1 ns less where that was just then. */
  readonly modifiedNs: bigint;
  /** As it stands in a backup_manifest, lower-case hex; empty for a directory. */
  readonly checksum: string;
  /** Blocks whose page checksum does not fit, counted from the start of this file. */
  readonly corruptBlocks: readonly number[];
}

/** The records of all files, filled while the parts are packed. */
export interface FileRecords {
  /** Takes the place of what an earlier attempt at the same part recorded. */
  set(index: number, record: FileRecord): void;
  /** The file has vanished: it is in no part. */
  remove(index: number): void;
  /** Undefined for a file that is in no part. */
  get(index: number): FileRecord | undefined;
}

const absent = -1;
const noBlocks: readonly number[] = [];

export function createFileRecords(count: number): FileRecords {
  const sizes = new Float64Array(count).fill(absent);
  const modified = new BigInt64Array(count);
  const checksums = new Array<string>(count).fill('');
  const corrupt = new Map<number, readonly number[]>();
  return {
    set(index, record) {
      sizes[index] = record.sizeBytes;
      modified[index] = record.modifiedNs;
      checksums[index] = record.checksum;
      if (record.corruptBlocks.length === 0) corrupt.delete(index);
      else corrupt.set(index, record.corruptBlocks);
    },
    remove(index) {
      sizes[index] = absent;
      corrupt.delete(index);
    },
    get(index) {
      const sizeBytes = sizes[index] ?? absent;
      if (sizeBytes === absent) return undefined;
      return {
        sizeBytes,
        modifiedNs: modified[index] ?? 0n,
        checksum: checksums[index] ?? '',
        corruptBlocks: corrupt.get(index) ?? noBlocks,
      };
    },
  };
}

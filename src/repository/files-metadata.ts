import { type ZodType, z } from 'zod';
import { parseJsonObject, safeCount } from './json-object.ts';

/** Pages of a file whose checksum did not fit; WAL-G lists at most ten of them. */
export interface CorruptBlocks {
  readonly count: number;
  readonly blocks: readonly number[];
}

/** One file or directory of a backup, by the name that it has in its part. */
export interface FileMetadata {
  /** Whether the part holds only the pages that changed since the parent. */
  readonly isIncremented: boolean;
  /** Whether the file is unchanged since the parent and in no part. */
  readonly isSkipped: boolean;
  /**
   * RFC 3339 with up to nine digits: the next delta compares it for equality, so it stays text.
   * @see formatInstant
   */
  readonly modifiedTime: string;
  readonly corruptBlocks: CorruptBlocks | undefined;
}

/**
 * A backup's files_metadata.json. Names equal the entry names in the parts byte for byte (`/base/5/2619`): WAL-G skips an entry
 * that is not listed.
 */
export interface FilesMetadata {
  readonly files: ReadonlyMap<string, FileMetadata>;
  /** File name of a part, with its suffix, to the names in it. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

const fileSchema = z
  .object({
    IsIncremented: z.boolean().default(false),
    IsSkipped: z.boolean().default(false),
    MTime: z.string(),
    CorruptBlocks: z
      .object({ CorruptBlocksCount: safeCount, SomeCorruptBlocks: z.array(safeCount).nullish() })
      .nullish(),
  })
  .transform(
    (json): FileMetadata => ({
      isIncremented: json.IsIncremented,
      isSkipped: json.IsSkipped,
      modifiedTime: json.MTime,
      corruptBlocks: json.CorruptBlocks
        ? { count: json.CorruptBlocks.CorruptBlocksCount, blocks: json.CorruptBlocks.SomeCorruptBlocks ?? [] }
        : undefined,
    }),
  );

const filesMetadataSchema: ZodType<FilesMetadata> = z
  .object({
    Files: z.record(z.string(), fileSchema).nullish(),
    TarFileSets: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
  })
  .transform((json) => ({
    files: new Map(Object.entries(json.Files ?? {})),
    parts: new Map(Object.entries(json.TarFileSets ?? {}).map(([name, files]) => [name, files ?? []])),
  }));

/** Parses the bytes of a files_metadata.json. @param name - for the message @throws {@link IntegrityError} */
export function parseFilesMetadata(bytes: Uint8Array, name: string): FilesMetadata {
  return parseJsonObject(bytes, filesMetadataSchema, name);
}

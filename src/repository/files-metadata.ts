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
   * @see formatFileTime
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

/** The same content as it is written, one entry after the other: a backup may have millions of files. */
export interface FilesMetadataSource {
  readonly files: () => Iterable<readonly [name: string, file: FileMetadata]>;
  readonly parts: () => Iterable<readonly [partFileName: string, names: Iterable<string>]>;
}

const corruptBlocksLimit = 10;
const chunkLength = 256 * 1024;

/** The bytes of files_metadata.json, streamed. */
export async function* formatFilesMetadata(source: FilesMetadataSource): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for (const piece of formatPieces(source)) {
    text += piece;
    if (text.length < chunkLength) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(text);
}

function* formatPieces(source: FilesMetadataSource): Iterable<string> {
  yield '{"Files":{';
  let comma = '';
  for (const [name, file] of source.files()) {
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(formatFile(file))}`;
    comma = ',';
  }
  yield '},"TarFileSets":{';
  comma = '';
  for (const [partFileName, names] of source.parts()) {
    yield `${comma}${JSON.stringify(partFileName)}:[`;
    comma = '';
    for (const name of names) {
      yield comma + JSON.stringify(name);
      comma = ',';
    }
    yield ']';
    comma = ',';
  }
  yield '},"DatabasesByNames":{}}';
}

function formatFile(file: FileMetadata): object {
  const { corruptBlocks } = file;
  return {
    IsIncremented: file.isIncremented,
    IsSkipped: file.isSkipped,
    MTime: file.modifiedTime,
    CorruptBlocks: corruptBlocks && {
      CorruptBlocksCount: corruptBlocks.count,
      SomeCorruptBlocks: corruptBlocks.blocks.slice(0, corruptBlocksLimit),
    },
    UpdatesCount: 0,
  };
}

/** Nanoseconds since 1970 as WAL-G writes a time: UTC, no trailing zeros, e.g. `2026-11-21T07:07:34.02206082Z`. */
export function formatFileTime(modifiedNs: bigint): string {
  const fraction = ((modifiedNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((modifiedNs - fraction) / 1_000_000n))
    .toISOString()
    .slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
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

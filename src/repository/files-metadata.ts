import { z } from 'zod';
import { describeError, IntegrityError, NotFoundError } from '../errors.ts';
import type { CallOptions } from '../storage/object-store.ts';
import type { BackupRecord } from './backup-catalogue.ts';
import { createJsonSplitter, type MemberUse } from './json-splitter.ts';
import { filesMetadataKey, sentinelKey } from './layout.ts';
import type { Repository } from './repository.ts';
import { nameOfObject } from './wal-archive.ts';

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

/** Told of what a file list holds, entry by entry. */
export interface FilesMetadataVisitor {
  onFile(name: string, file: FileMetadata): void;
  /** A part by its file name, with the names in it, to be read at once. WAL-G writes the parts behind the files. */
  onPart(fileName: string, names: Iterable<string>): void;
}

/** The names of one part's files are the longest text: some hundred bytes for each, of which a part of 1 GiB has a million at most. */
const textLimitBytes = 256 * 1024 * 1024;

const count = z.int().nonnegative();

const fileSchema = z
  .object({
    IsIncremented: z.boolean().default(false),
    IsSkipped: z.boolean().default(false),
    MTime: z.string(),
    CorruptBlocks: z.object({ CorruptBlocksCount: count, SomeCorruptBlocks: z.array(count).nullish() }).nullish(),
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

const nameSchema = z.string();

const uses: Readonly<Record<string, MemberUse>> = { Files: 'by member', TarFileSets: 'by member' };

/**
 * Reads a files_metadata.json, or a sentinel of WAL-G's first generation, which holds the same list: entry by entry, in memory that
 * does not grow with their number.
 *
 * @param objectName - the object's key or URL, for messages
 * @throws {@link IntegrityError} when it is not JSON, or an entry is damaged
 */
export async function readFilesMetadata(
  source: AsyncIterable<Uint8Array>,
  objectName: string,
  visitor: FilesMetadataVisitor,
): Promise<void> {
  const splitter = createJsonSplitter({
    name: objectName,
    textLimitBytes,
    useOf: (key) => uses[key] ?? 'not at all',
    onMember(key, text, name = '') {
      if (key === 'Files')
        visitor.onFile(name, parseEntry(text, fileSchema, `${objectName} is damaged: ${key}.${name}`));
      else visitor.onPart(name, stringsOf(text, `${objectName} is damaged: ${key}.${name}`));
    },
  });
  for await (const chunk of source) splitter.write(chunk);
  splitter.end();
}

/** The strings of a JSON list, or of null, one by one: as a whole, the names of a part's files would weigh more than all else. */
function* stringsOf(text: string, what: string): Generator<string> {
  if (text === 'null' || /^\[\s*\]$/.test(text)) return;
  const item = /\s*("[^"\\]*(?:\\.[^"\\]*)*")\s*([,\]])/y;
  item.lastIndex = 1;
  for (let end = text.startsWith('[') ? ',' : ''; end !== ']'; ) {
    const [, string, after] = (end === ',' && item.exec(text)) || [];
    if (string === undefined || after === undefined || (after === ']' && item.lastIndex !== text.length)) {
      throw new IntegrityError(`${what}: not a list of names`);
    }
    yield parseEntry(string, nameSchema, what);
    end = after;
  }
}

function parseEntry<T>(text: string, schema: z.ZodType<T>, what: string): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new IntegrityError(`${what}: ${describeError(error)}`, { cause: error });
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new IntegrityError(`${what}: ${issue?.path.join('.')}: ${issue?.message}`, { cause: checked.error });
}

/**
 * Reads the list of a backup's files: from files_metadata.json, or from the sentinel, where WAL-G's first generation has it.
 *
 * @returns false when the backup has none, or an empty one, which stands for none
 * @throws {@link IntegrityError} naming the object, when it is damaged
 */
export async function readFileList(
  { store }: Repository,
  { name, filesMetadataDisabled }: Pick<BackupRecord, 'name' | 'filesMetadataDisabled'>,
  visitor: FilesMetadataVisitor,
  options: CallOptions = {},
): Promise<boolean> {
  if (filesMetadataDisabled) return false;
  let fileCount = 0;
  const counting: FilesMetadataVisitor = {
    onFile(fileName, file) {
      fileCount += 1;
      visitor.onFile(fileName, file);
    },
    onPart: (fileName, names) => visitor.onPart(fileName, names),
  };
  for (const key of [filesMetadataKey(name), sentinelKey(name)]) {
    try {
      const { body } = await store.get(key, options);
      await readFilesMetadata(body, nameOfObject(store, key), counting);
      if (fileCount > 0) return true;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  return false;
}

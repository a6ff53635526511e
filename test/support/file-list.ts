import type { FileMetadata } from '../../src/repository/files-metadata.ts';
import { readFilesMetadata } from '../../src/repository/files-metadata.ts';

/** A backup's files_metadata.json as a whole. */
export interface FileList {
  readonly files: ReadonlyMap<string, FileMetadata>;
  /** File name of a part, with its suffix, to the names in it. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

/** Reads the bytes in pieces, as they would come from a store. */
export async function readFileList(
  bytes: Uint8Array,
  name = 'files_metadata.json',
  pieceBytes = 65_536,
): Promise<FileList> {
  const files = new Map<string, FileMetadata>();
  const parts = new Map<string, readonly string[]>();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes);
  }
  await readFilesMetadata(pieces(), name, {
    onFile: (fileName, file) => void files.set(fileName, file),
    onPart: (fileName, names) => void parts.set(fileName, [...names]),
  });
  return { files, parts };
}

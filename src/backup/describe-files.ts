import type { ManifestFile, ManifestHeader, ManifestWalRange } from '../postgres/backup-manifest.ts';
import type { FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import { createManifestWriter } from '../postgres/write-manifest.ts';
import type { FileMetadata } from '../repository/files-metadata.ts';
import { formatInstant } from '../repository/instant.ts';
import { partFileName } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import type { DatabaseRelations, FilesMetadataSource } from '../repository/write-files-metadata.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { directoryMark, type FileRecord, type FileRecords, type FoundFiles } from './file-records.ts';
import type { PlannedPart } from './plan-parts.ts';

/** What is in the parts of a backup. */
export interface PackedFiles {
  readonly files: FoundFiles;
  readonly records: FileRecords;
  readonly parts: readonly PlannedPart[];
}

const chunkLength = 256 * 1024;

/** The bytes of a backup_manifest, streamed. */
export async function* formatManifest(
  header: ManifestHeader,
  files: Iterable<ManifestFile>,
  walRanges: readonly ManifestWalRange[],
): AsyncGenerator<Uint8Array> {
  let text = '';
  const writer = createManifestWriter(header, (piece) => {
    text += piece;
  });
  for (const file of files) {
    writer.addFile(file);
    if (text.length < chunkLength) continue;
    yield Buffer.from(text);
    text = '';
  }
  writer.end(walRanges);
  yield Buffer.from(text);
}

/** The packed files as the manifest lists them: no directories, and nothing that has vanished. */
export function* manifestFiles(
  { files, records }: PackedFiles,
  algorithm: FileChecksumAlgorithm,
): Generator<ManifestFile> {
  for (const [index, path] of files.paths.entries()) {
    const record = files.sizesBytes[index] === directoryMark ? undefined : records.get(index);
    if (record === undefined) continue;
    yield {
      path,
      sizeBytes: record.sizeBytes,
      modifiedAt: new Date(Number(record.modifiedNs / 1_000_000n)),
      checksum: { algorithm, hex: record.checksum },
    };
  }
}

/**
 * The packed files as files_metadata.json lists them, by part. JSON has no bytes that are not UTF-8: such a name stands there with
 * U+FFFD, as it would from WAL-G.
 *
 * @param otherParts - parts that hold something else than found files, which are listed by their names alone
 */
export function describeFiles(
  { files, records, parts }: PackedFiles,
  { codec }: Repository,
  otherParts: ReadonlyMap<string, readonly string[]>,
  databases: readonly DatabaseRelations[],
): FilesMetadataSource {
  const nameOf = (index: number) => byteStringAsText(`/${files.paths[index]}`);
  function* names(part: PlannedPart): Generator<string> {
    for (const index of part.files) if (records.get(index) !== undefined) yield nameOf(index);
  }
  return {
    *files() {
      for (const index of files.paths.keys()) {
        const record = records.get(index);
        if (record !== undefined) yield [nameOf(index), describeFile(record)];
      }
    },
    *parts() {
      for (const part of parts) yield [partFileName(part.number, codec), names(part)];
      yield* otherParts;
    },
    databases: () => databases,
  };
}

function describeFile({ modifiedNs, corruptBlocks }: FileRecord): FileMetadata {
  return {
    isIncremented: false,
    isSkipped: false,
    modifiedTime: formatInstant(modifiedNs),
    corruptBlocks: corruptBlocks.length === 0 ? undefined : { count: corruptBlocks.length, blocks: corruptBlocks },
  };
}

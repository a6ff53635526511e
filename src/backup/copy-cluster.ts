import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { ManifestFile } from '../postgres/backup-manifest.ts';
import { readControlFileBytes } from '../postgres/control-file.ts';
import { tablespaceVersionDirectory } from '../postgres/data-directory.ts';
import { createFileChecksum, type FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import type { Lsn } from '../postgres/lsn.ts';
import type { MappedTablespace } from '../postgres/tablespace-map.ts';
import { controlPartFileName } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { type AccountNames, readAccountNames } from '../util/account-names.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { createPageVerifier } from './check-pages.ts';
import type { LocalCluster } from './check-server.ts';
import type { PackedFiles } from './describe-files.ts';
import { createFileRecords } from './file-records.ts';
import { controlFilePath, findFiles } from './find-files.ts';
import { planParts } from './plan-parts.ts';
import type { StoredObjects } from './stored-objects.ts';
import { packContents, tarEntryOf } from './tar-header.ts';
import { uploadParts } from './upload-parts.ts';

/** How far the copying has come. */
export interface BackupProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Relative to the data directory; empty at times. */
  readonly currentFile: string;
}

export interface CopyOptions {
  readonly majorVersion: number;
  readonly startLsn: Lsn;
  readonly jobs: number;
  readonly partSizeBytes: number;
  readonly manifestChecksum: FileChecksumAlgorithm;
  readonly onProgress: (progress: BackupProgress) => void;
}

/** A cluster whose files are in the repository. */
export interface CopiedCluster extends PackedFiles {
  readonly tablespaces: readonly MappedTablespace[];
  readonly catalogSizeBytes: number;
  /** pg_control, which has a part of its own. */
  readonly controlFile: ManifestFile;
  /** Takes the pages that claim to be newer than the backup's end for damaged ones. */
  checkEnd(stopLsn: Lsn): void;
}

/** Copies the files of a cluster in backup mode: everything else first and side by side, then pg_control, in a part of its own. */
export async function copyCluster(
  repository: Repository,
  objects: StoredObjects,
  { dataDirectory, controlFile }: LocalCluster,
  options: CopyOptions,
  context: Context,
): Promise<CopiedCluster> {
  const { majorVersion, jobs } = options;
  const versionDirectory = tablespaceVersionDirectory(majorVersion, controlFile.catalogVersion);
  const found = await findFiles(dataDirectory, { majorVersion, versionDirectory }, context);
  const { files, tablespaces, catalogSizeBytes } = found;
  const parts = planParts(files, options);
  const records = createFileRecords(files.paths.length);
  const pages = controlFile.hasDataChecksums ? createPageVerifier(options.startLsn, context) : undefined;

  let bytesDone = 0;
  const bytesTotal = files.sizesBytes.reduce((sum, sizeBytes) => sum + Math.max(0, sizeBytes), 0);
  const onBytes = (sizeBytes: number, path: string) => {
    bytesDone += sizeBytes;
    options.onProgress({ bytesDone, bytesTotal, currentFile: byteStringAsText(path) });
  };
  const accounts = await readAccountNames();
  const source = {
    dataDirectory,
    files,
    records,
    accounts,
    reuseBlocks: repository.codec.releasesChunks ?? false,
    checksumAlgorithm: options.manifestChecksum,
    checkPages: pages?.check ?? nothingToCheck,
  };
  await uploadParts(repository, objects, parts, source, { jobs, signal: context.signal, onBytes });

  return {
    files,
    records,
    parts,
    tablespaces,
    catalogSizeBytes,
    controlFile: await copyControlFile(repository, objects, dataDirectory, { ...options, accounts }, context),
    checkEnd(stopLsn) {
      for (const { path, block } of pages?.findImpossible(stopLsn) ?? []) {
        const index = files.paths.indexOf(path);
        const record = records.get(index);
        if (record !== undefined) records.set(index, { ...record, corruptBlocks: [...record.corruptBlocks, block] });
      }
    },
  };
}

async function nothingToCheck(): Promise<readonly number[]> {
  return [];
}

async function copyControlFile(
  repository: Repository,
  objects: StoredObjects,
  dataDirectory: string,
  { manifestChecksum: algorithm, accounts }: CopyOptions & { readonly accounts: AccountNames },
  { signal }: Context,
): Promise<ManifestFile> {
  const content = await readControlFileBytes(dataDirectory, signal);
  const status = await stat(join(dataDirectory, controlFilePath), { bigint: true });
  const entry = { ...tarEntryOf(controlFilePath, 'file', status, accounts), sizeBytes: content.byteLength };
  await objects.putPart(controlPartFileName(repository.codec), packContents([{ entry, content }]), signal);
  return describeContent(controlFilePath, content, status.mtime, algorithm);
}

/** The manifest's line for a file that is in memory. */
export function describeContent(
  path: string,
  content: Uint8Array,
  modifiedAt: Date,
  algorithm: FileChecksumAlgorithm,
): ManifestFile {
  const checksum = createFileChecksum(algorithm);
  checksum.update(content);
  return { path, sizeBytes: content.byteLength, modifiedAt, checksum: { algorithm, hex: checksum.digest() } };
}

import { hostname } from 'node:os';
import type { StartedBackup, StoppedBackup } from '../postgres/backup-functions.ts';
import { type ManifestFile, manifestHeader } from '../postgres/backup-manifest.ts';
import type { FileChecksumAlgorithm } from '../postgres/file-checksum.ts';
import type { ServerFacts } from '../postgres/server-facts.ts';
import { formatBackupMetadata } from '../repository/backup-metadata.ts';
import {
  backupManifestKey,
  filesMetadataKey,
  labelPartFileName,
  metadataKey,
  sentinelKey,
} from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { formatSentinel, type Sentinel } from '../repository/sentinel.ts';
import { type DatabaseRelations, formatFilesMetadata } from '../repository/write-files-metadata.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { type CopiedCluster, describeContent } from './copy-cluster.ts';
import { describeFiles, formatManifest, manifestFiles } from './describe-files.ts';
import type { StoredObjects } from './stored-objects.ts';
import { packContents, type TarEntry } from './tar-header.ts';

/** All that is known about a backup once the server has left backup mode. */
export interface FinishedBackup {
  readonly name: string;
  readonly server: ServerFacts;
  readonly dataDirectory: string;
  readonly start: StartedBackup;
  readonly stop: StoppedBackup;
  readonly copied: CopiedCluster;
  readonly databases: readonly DatabaseRelations[];
  readonly manifestChecksum: FileChecksumAlgorithm;
  readonly isPermanent: boolean;
  readonly userData: unknown;
  readonly withoutFilesMetadata: boolean;
}

const labelName = 'backup_label';
const mapName = 'tablespace_map';

/** Stores the part with the two files by which recovery knows a backup; WAL-G wants both there, even an empty tablespace_map. */
export async function storeLabel(
  repository: Repository,
  objects: StoredObjects,
  { stop }: FinishedBackup,
  signal: AbortSignal,
): Promise<void> {
  const tar = packContents([
    { entry: contentEntry(labelName, stop.label, stop.stoppedAt), content: stop.label },
    { entry: contentEntry(mapName, stop.tablespaceMap, stop.stoppedAt), content: stop.tablespaceMap },
  ]);
  await objects.putPart(labelPartFileName(repository.codec), tar, signal);
}

/** Stores the manifest, the metadata and the list of files, and last of all the sentinel, which makes it a backup. */
export async function storeDescription(
  repository: Repository,
  objects: StoredObjects,
  backup: FinishedBackup,
  signal: AbortSignal,
): Promise<Sentinel> {
  const { name, server, start, stop, copied, databases } = backup;
  const header = manifestHeader(server.majorVersion, server.systemIdentifier);
  const walRange = { timeline: start.timeline, startLsn: start.startLsn, endLsn: stop.stopLsn };
  const manifest = () => formatManifest(header, allFiles(backup), [walRange]);
  await objects.putEncrypted(backupManifestKey(name), manifest, signal);

  if (!backup.withoutFilesMetadata) {
    const otherParts = new Map([[labelPartFileName(repository.codec), [labelName, mapName]]]);
    const filesMetadata = describeFiles(copied, repository, otherParts, databases);
    await objects.put(filesMetadataKey(name), () => formatFilesMetadata(filesMetadata), signal);
  }

  const sentinel = describeBackup(backup, objects.partsSizeBytes);
  await objects.put(metadataKey(name), formatBackupMetadata(sentinel), signal);
  await objects.requireAll(signal);
  await objects.put(sentinelKey(name), formatSentinel(sentinel), signal);
  return sentinel;
}

function describeBackup(backup: FinishedBackup, compressedSizeBytes: number): Sentinel {
  const { server, start, stop, copied, dataDirectory } = backup;
  // An empty tablespace_map has a place in its part, but no bytes.
  let uncompressedSizeBytes = 0;
  for (const { sizeBytes } of allFiles(backup)) uncompressedSizeBytes += sizeBytes;
  return {
    startLsn: start.startLsn,
    finishLsn: stop.stopLsn,
    pgVersion: server.versionNumber,
    systemIdentifier: server.systemIdentifier,
    uncompressedSizeBytes,
    compressedSizeBytes,
    dataCatalogSizeBytes: copied.catalogSizeBytes,
    tablespaces: copied.tablespaces.map(({ oid, location }) => ({ oid, location: byteStringAsText(location) })),
    basePrefix: dataDirectory,
    parent: undefined,
    filesMetadataDisabled: backup.withoutFilesMetadata,
    startedAt: start.startedAt,
    finishedAt: stop.stoppedAt,
    hostname: hostname(),
    dataDirectory,
    isPermanent: backup.isPermanent,
    userData: backup.userData,
  };
}

/** Every file that a restore gives. The server lists an empty tablespace_map neither. */
function* allFiles({ copied, stop, manifestChecksum }: FinishedBackup): Generator<ManifestFile> {
  yield describeContent(labelName, stop.label, stop.stoppedAt, manifestChecksum);
  if (stop.tablespaceMap.byteLength > 0) {
    yield describeContent(mapName, stop.tablespaceMap, stop.stoppedAt, manifestChecksum);
  }
  yield* manifestFiles(copied, manifestChecksum);
  yield copied.controlFile;
}

function contentEntry(name: string, content: Uint8Array, modifiedAt: Date): TarEntry {
  return {
    name,
    kind: 'file',
    sizeBytes: content.byteLength,
    mode: 0o600,
    userId: 0,
    groupId: 0,
    modifiedSeconds: Math.floor(modifiedAt.getTime() / 1000),
  };
}

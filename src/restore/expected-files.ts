import { IntegrityError } from '../errors.ts';
import type { ManifestChecksum, ManifestFile } from '../postgres/backup-manifest.ts';
import type { FilesMetadata } from '../repository/files-metadata.ts';
import { byteStringAsText, bytesOf, isUtf8ByteString, toByteString } from '../util/byte-string.ts';
import { parseEntryName } from './entry-path.ts';

/** What a file must be. */
export interface ExpectedFile {
  readonly sizeBytes: number;
  readonly checksum: ManifestChecksum | undefined;
}

/** The files that a backup says it has. Paths are byte strings below the data directory. */
export interface ExpectedFiles {
  /**
   * Notes that a file is there, and tells what it must be, as far as the backup says so.
   *
   * @throws {@link IntegrityError} naming the object, for a file that does not belong to the backup or has come before
   */
  arrive(path: string, objectName: string): ExpectedFile | undefined;
  arriveDirectory(path: string): void;
  /** What has not come, as texts. */
  missing(): string[];
}

/** Kept by a restore itself, or left out by PostgreSQL: never in a manifest, whoever made it. */
const unlisted = /^(?:tablespace_map|backup_manifest|pg_wal\/.*)$/s;

/** What a backup manifest lists: every file, with size and checksum. It forgets each as it comes, and memory shrinks. */
export interface ManifestFiles extends ExpectedFiles {
  add(file: ManifestFile): void;
}

export function createManifestFiles(): ManifestFiles {
  const files = new Map<string, ExpectedFile>();
  return {
    add({ path, sizeBytes, checksum }) {
      files.set(path, { sizeBytes, checksum });
    },
    arrive(path, objectName) {
      const file = files.get(path);
      files.delete(path);
      if (file !== undefined || unlisted.test(path)) return file;
      throw new IntegrityError(
        `${objectName} holds ${show(path)}, which the backup manifest does not list or which has come before`,
        { hint: 'The parts and the manifest are not of one backup: do not trust it.' },
      );
    },
    arriveDirectory: () => undefined,
    missing: () => Array.from(files.keys(), byteStringAsText),
  };
}

/**
 * What files_metadata.json lists: names of files and directories. WAL-G knows names as texts only, so others are refused.
 *
 * @param metadata - undefined for a backup without: nothing is known of its files then
 */
export function metadataFiles(metadata: FilesMetadata | undefined, name: string): ExpectedFiles {
  const paths = new Set<string>();
  for (const [fileName, { isSkipped }] of metadata?.files ?? []) {
    if (!isSkipped) paths.add(parseEntryName(toByteString(fileName), name));
  }
  return {
    arrive(path, objectName) {
      if (!isUtf8ByteString(path)) {
        throw new IntegrityError(
          `${objectName} holds a name that is not UTF-8: ${bytesOf(path).toString('hex')} in hex`,
        );
      }
      paths.delete(path);
      return undefined;
    },
    arriveDirectory: (path) => void paths.delete(path),
    missing: () => Array.from(paths, byteStringAsText),
  };
}

function show(path: string): string {
  return JSON.stringify(byteStringAsText(path));
}

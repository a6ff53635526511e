import { IntegrityError } from '../errors.ts';
import type { ManifestChecksum, ManifestFile } from '../postgres/backup-manifest.ts';
import { byteStringAsText } from '../util/byte-string.ts';

/** What a file must be. */
export interface ExpectedFile {
  readonly sizeBytes: number;
  readonly checksum: ManifestChecksum | undefined;
}

/** A file that has come and is wanted. */
export interface Arrival {
  /** `file`: the whole file. `increment`: pages of it; others come from older backups. `remainder`: the whole file, from which newer backups have pages. */
  readonly form: 'file' | 'increment' | 'remainder';
  /** As far as the backup says so. */
  readonly expected: ExpectedFile | undefined;
}

/** The files that a backup says it has. Paths are byte strings below the data directory; links of its chain count from 0, the newest. */
export interface ExpectedFiles {
  /**
   * Notes that a file is there in a part of a link. What newer links have of the file is waited for.
   *
   * @returns undefined when nothing of it is wanted from this link
   * @throws {@link IntegrityError} naming the object, for a file that does not belong to the backup or has come before
   */
  arrive(path: string, link: number, objectName: string): Arrival | undefined | Promise<Arrival | undefined>;
  /** What the link has of the file has been laid down. */
  complete(path: string, link: number): void;
  /** All parts of a link have been unpacked. */
  endLink(link: number): void;
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
    arrive(path, _link, objectName) {
      const expected = files.get(path);
      files.delete(path);
      if (expected !== undefined || unlisted.test(path)) return { form: 'file', expected };
      throw new IntegrityError(
        `${objectName} holds ${JSON.stringify(byteStringAsText(path))}, which the backup manifest does not list or which has come before`,
        { hint: 'The parts and the manifest are not of one backup: do not trust it.' },
      );
    },
    complete: () => undefined,
    endLink: () => undefined,
    missing: () => Array.from(files.keys(), byteStringAsText),
  };
}

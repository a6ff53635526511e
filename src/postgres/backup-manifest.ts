import type { FileChecksumAlgorithm } from './file-checksum.ts';
import type { Lsn } from './lsn.ts';

/**
 * PostgreSQL's `backup_manifest`: JSON with one file per line, which `pg_verifybackup` and `pg_combinebackup` read. The manifest
 * does not list itself, empty directories, or WAL that is not in the backup.
 *
 * @see PostgreSQL manual, "Backup Manifest Format"; postgres src/backend/backup/backup_manifest.c
 */
export type ManifestHeader =
  | { readonly version: 1 }
  /** Since PostgreSQL 17. */
  | { readonly version: 2; readonly systemIdentifier: bigint };

export interface ManifestFile {
  /** A byte string, relative to the data directory, with slashes; files of a tablespace as `pg_tblspc/<oid>/PG_…`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** To the second. */
  readonly modifiedAt: Date;
  /** Undefined when the manifest was made without checksums. */
  readonly checksum: ManifestChecksum | undefined;
}

export interface ManifestChecksum {
  readonly algorithm: FileChecksumAlgorithm;
  /** In lower-case hex; see {@link createFileChecksum}. */
  readonly hex: string;
}

/** WAL that the backup needs, per timeline. */
export interface ManifestWalRange {
  readonly timeline: number;
  readonly startLsn: Lsn;
  readonly endLsn: Lsn;
}

/** The header that a server of this major version writes, and its tools expect. */
export function manifestHeader(majorVersion: number, systemIdentifier: bigint): ManifestHeader {
  return majorVersion >= 17 ? { version: 2, systemIdentifier } : { version: 1 };
}

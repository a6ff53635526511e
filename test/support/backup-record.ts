import { parseLsn } from '../../src/postgres/lsn.ts';
import type { BackupRecord } from '../../src/repository/backup-catalogue.ts';
import { startSegmentOfBackup } from '../../src/repository/layout.ts';

/** What a test says of a backup; the rest is as in a small full backup of PostgreSQL 18. */
export interface BackupFacts extends Partial<Omit<BackupRecord, 'name' | 'finishLsn' | 'finishedAt'>> {
  readonly name: string;
  readonly finishLsn: string;
  /** An instant in ISO form. */
  readonly finishedAt?: string;
}

export function backupRecord({ finishLsn, finishedAt = '2026-01-02T03:04:05Z', ...facts }: BackupFacts): BackupRecord {
  const startSegment = startSegmentOfBackup(facts.name);
  return {
    startSegment,
    timeline: Number.parseInt(startSegment.slice(0, 8), 16),
    modifiedAt: new Date(finishedAt),
    isPermanent: false,
    startLsn: parseLsn(`${startSegment.slice(8, 16)}/${startSegment.slice(22)}000028`),
    finishLsn: parseLsn(finishLsn),
    pgVersion: 180_004,
    systemIdentifier: 7_710_517_932_700_386_965n,
    uncompressedSizeBytes: 24_604_730,
    compressedSizeBytes: 2_481_687,
    dataCatalogSizeBytes: 24_727_516,
    tablespaces: [],
    basePrefix: undefined,
    parent: undefined,
    filesMetadataDisabled: false,
    startedAt: new Date(finishedAt),
    finishedAt: new Date(finishedAt),
    hostname: 'db1',
    dataDirectory: '/var/lib/postgresql/18/main',
    userData: undefined,
    ...facts,
  };
}

import { PostgresError } from '../errors.ts';
import type { PostgresConnection } from './connection.ts';

/** What a running server says about itself. */
export interface ServerFacts {
  /** `server_version_num`, e.g. 180004. */
  readonly versionNumber: number;
  readonly majorVersion: number;
  readonly systemIdentifier: bigint;
  /** The one that is being written; on a standby that of the last restart point. */
  readonly timeline: number;
  readonly isInRecovery: boolean;
  /** Undefined when the role may not read it (it lacks pg_read_all_settings). */
  readonly dataDirectory: string | undefined;
  readonly segmentSizeBytes: number;
  readonly blockSizeBytes: number;
  readonly hasDataChecksums: boolean;
  /** `off`, `on` or `always`. */
  readonly archiveMode: string;
  /** The command or library that archives; empty when there is none. */
  readonly archiver: string;
  readonly walLevel: string;
  readonly hasFullPageWrites: boolean;
}

/** The oldest PostgreSQL that is supported; its control file and page magic are known, and it has recovery.signal. */
const oldestMajor = 13;

/**
 * Asks the server for what a backup needs to know.
 *
 * @throws {@link PostgresError} also when the server is older than PostgreSQL 13
 */
export async function readServerFacts(connection: PostgresConnection): Promise<ServerFacts> {
  const what = 'cannot read the settings of the server';
  const rows = await connection.query<{ name: string; setting: string | null }>(
    what,
    'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
    [settingNames],
  );
  const settings = new Map(rows.map(({ name, setting }) => [name, setting ?? undefined]));
  const row = await connection.queryRow<{ identifier: string; timeline: number; recovering: boolean }>(
    what,
    `SELECT system_identifier::text AS identifier, pg_is_in_recovery() AS recovering,
            CASE WHEN pg_is_in_recovery() THEN timeline_id
                 ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline
     FROM pg_control_system(), pg_control_checkpoint()`,
  );
  const versionNumber = Number(settings.get('server_version_num'));
  const majorVersion = Math.floor(versionNumber / 10_000);
  if (!(majorVersion >= oldestMajor)) {
    throw new PostgresError(`the server is PostgreSQL ${majorVersion}, and Seawall needs ${oldestMajor} or later`);
  }
  return {
    versionNumber,
    majorVersion,
    systemIdentifier: BigInt(row.identifier),
    timeline: row.timeline,
    isInRecovery: row.recovering,
    dataDirectory: settings.get('data_directory'),
    segmentSizeBytes: Number(settings.get('wal_segment_size')),
    blockSizeBytes: Number(settings.get('block_size')),
    hasDataChecksums: settings.get('data_checksums') === 'on',
    archiveMode: settings.get('archive_mode') ?? 'off',
    archiver: settings.get('archive_library') || settings.get('archive_command') || '',
    walLevel: settings.get('wal_level') ?? '',
    hasFullPageWrites: settings.get('full_page_writes') === 'on',
  };
}

const settingNames: readonly string[] = [
  'server_version_num',
  'data_directory',
  'wal_segment_size',
  'block_size',
  'data_checksums',
  'archive_mode',
  'archive_command',
  'archive_library',
  'wal_level',
  'full_page_writes',
];

import { availableParallelism } from 'node:os';
import { type EncryptionSettings, encryptionSettings } from './encryption-settings.ts';
import { choice, duration, integer, json, type Setting, size, text, toggle } from './setting.ts';
import {
  parseDiskConcurrency,
  parsePrefetchDepth,
  parseTarSizeThreshold,
  parseWalgLogLevel,
  parseZstdLevelWord,
} from './walg/values.ts';

/**
 * Every setting, once. The names follow from each other: `fetchDeadline` is the flag `--fetch-deadline`, the variable
 * `SEAWALL_FETCH_DEADLINE` and the key `fetchDeadline` of a configuration file. Sizes are bytes, durations milliseconds.
 */
export interface Settings extends EncryptionSettings {
  readonly repository: string | undefined;
  readonly compression: 'zstd' | 'lz4' | 'brotli' | 'lzma' | 'none';
  readonly compressionLevel: number;
  readonly compressionEngine: 'node' | 'napi';
  readonly jobs: number;
  readonly agent: boolean;
  readonly agentIdle: number;
  readonly prefetchSegments: number;
  readonly prefetchSize: number;
  readonly partSize: number;
  readonly manifestChecksum: 'CRC32C' | 'SHA256';
  readonly pushDeadline: number;
  readonly daemonPushDeadline: number;
  readonly fetchDeadline: number;
  readonly fetchOnUndecided: 'auto' | 'abort' | 'absent';
  readonly userData: string | undefined;
  readonly withoutFilesMetadata: boolean;
  readonly withoutRelationNames: boolean;
  readonly walDeadline: number;
  readonly retryDeadline: number;
  readonly s3Endpoint: string | undefined;
  readonly s3Region: string | undefined;
  readonly s3PathStyle: boolean | undefined;
  readonly s3StorageClass: string | undefined;
  readonly s3Sse: string | undefined;
  readonly s3SseKmsKeyId: string | undefined;
  readonly s3CaCertFile: string | undefined;
  readonly gcsEndpoint: string | undefined;
  readonly azureEndpointSuffix: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'text' | 'json';
}

export type SettingName = keyof Settings;

/** The table behind {@link Settings}: documentation, default, parser, and the names that other tools use. */
export const settingsTable: { readonly [Name in SettingName]: Setting<Settings[Name]> } = {
  repository: text({
    placeholder: '<url>',
    default: undefined,
    doc: 'Where WAL and backups are kept: file:///srv/wal (or an absolute path), s3://bucket/prefix, gs://bucket/prefix or azure://container/prefix.',
  }),
  compression: choice(['zstd', 'lz4', 'brotli', 'lzma', 'none'], {
    default: 'zstd',
    aliases: ['WALG_COMPRESSION_METHOD'],
    doc: 'How new objects are compressed. Reading goes by the suffix of the object, whatever is set here.',
  }),
  compressionLevel: integer(1, 19, {
    default: 3,
    aliases: ['WALG_ZSTD_LEVEL'],
    aliasParsers: { WALG_ZSTD_LEVEL: parseZstdLevelWord },
    doc: 'Level of zstd: 1 is fastest, 19 is smallest.',
  }),
  compressionEngine: choice(['node', 'napi'], {
    default: 'node',
    doc: 'What runs zstd: Node itself, or the optional package zstd-napi.',
  }),
  ...encryptionSettings,
  jobs: integer(1, 64, {
    // One more than the cores: while one waits for the store, the others keep the cores busy.
    default: Math.min(availableParallelism() + 1, 4),
    aliases: ['WALG_UPLOAD_DISK_CONCURRENCY'],
    aliasParsers: { WALG_UPLOAD_DISK_CONCURRENCY: parseDiskConcurrency },
    doc: 'How many parts of a backup are written or restored side by side, and how many segments the agent pushes or fetches.',
  }),
  agent: toggle({
    default: true,
    hasOffFlag: true,
    doc: 'Whether wal-push and wal-fetch start an agent that works ahead of PostgreSQL, and use what it has done.',
  }),
  agentIdle: duration({ default: 60_000, doc: 'The agent ends when it has had nothing to do for this time.' }),
  prefetchSegments: integer(0, 256, {
    default: 16,
    aliases: ['WALG_DOWNLOAD_CONCURRENCY'],
    aliasParsers: { WALG_DOWNLOAD_CONCURRENCY: parsePrefetchDepth },
    doc: 'The agent fetches at most so many segments ahead of recovery; 0: none.',
  }),
  prefetchSize: size(0, {
    default: 256 * 1024 * 1024,
    doc: 'The agent fetches at most so much ahead of recovery into pg_wal, and nothing while less than three times as much is free there.',
  }),
  partSize: size(1024 * 1024, {
    default: 1024 * 1024 * 1024 - 1,
    aliases: ['WALG_TAR_SIZE_THRESHOLD'],
    aliasParsers: { WALG_TAR_SIZE_THRESHOLD: parseTarSizeThreshold },
    doc: 'A part of a backup is closed when its files have reached this size. A file is never split.',
  }),
  manifestChecksum: choice(['CRC32C', 'SHA256'], {
    default: 'CRC32C',
    doc: 'Checksum of each file in the backup manifest.',
  }),
  pushDeadline: duration({
    default: 300_000,
    doc: 'wal-push gives up after this time; PostgreSQL keeps the segment and calls again.',
  }),
  daemonPushDeadline: duration({
    default: 60_000,
    aliases: ['WALG_DAEMON_WAL_UPLOAD_TIMEOUT'],
    doc: 'The daemon gives up a push after this time; its clients wait for as long.',
  }),
  fetchDeadline: duration({
    default: 300_000,
    doc: 'wal-fetch tries for this long to get a clear answer from the repository, then says "undecided".',
  }),
  fetchOnUndecided: choice(['auto', 'abort', 'absent'], {
    default: 'auto',
    doc: 'What an undecided wal-fetch tells PostgreSQL. abort: status 200, recovery stops. absent: status 75, which PostgreSQL takes for the end of the archive. auto: 75 where standby.signal stands in the data directory, so that a standby goes on by streaming, otherwise 200.',
  }),
  userData: json({
    default: undefined,
    aliases: ['WALG_SENTINEL_USER_DATA'],
    doc: 'Any JSON, kept with every new backup: a ticket, a release, who asked for it.',
  }),
  withoutFilesMetadata: toggle({
    default: false,
    aliases: ['WALG_WITHOUT_FILES_METADATA'],
    doc: 'Leaves files_metadata.json out of new backups. Then WAL-G takes no delta upon them and restores no single database.',
  }),
  withoutRelationNames: toggle({
    default: false,
    aliases: ['WALG_DISABLE_PARTIAL_RESTORE'],
    doc: 'Leaves the names of relations out of new backups, and asks no database for them. Then WAL-G restores no single database.',
  }),
  walDeadline: duration({
    default: 600_000,
    doc: 'How long a base backup waits for the WAL it needs to arrive in the repository.',
  }),
  retryDeadline: duration({
    default: 60_000,
    doc: 'How long one request to the store is repeated after failures that may pass (throttling, resets, 5xx).',
  }),
  s3Endpoint: text({
    placeholder: '<url>',
    default: undefined,
    aliases: ['AWS_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
    doc: 'Endpoint of an S3-compatible service.',
  }),
  s3Region: text({
    placeholder: '<region>',
    default: undefined,
    aliases: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
    doc: 'Region of the bucket.',
  }),
  s3PathStyle: toggle<boolean | undefined>({
    default: undefined,
    aliases: ['AWS_S3_FORCE_PATH_STYLE'],
    doc: 'Puts the bucket into the path instead of the host name. On by default where an endpoint is set.',
  }),
  s3StorageClass: text({
    placeholder: '<class>',
    default: undefined,
    aliases: ['S3_STORAGE_CLASS', 'WALG_S3_STORAGE_CLASS'],
    doc: 'Storage class of new objects, e.g. STANDARD_IA.',
  }),
  s3Sse: text({
    placeholder: '<algorithm>',
    default: undefined,
    aliases: ['S3_SSE', 'WALG_S3_SSE'],
    doc: 'Server-side encryption of new objects: AES256 or aws:kms.',
  }),
  s3SseKmsKeyId: text({
    placeholder: '<key>',
    default: undefined,
    aliases: ['S3_SSE_KMS_ID', 'WALG_S3_SSE_KMS_ID'],
    doc: 'The KMS key for aws:kms.',
  }),
  s3CaCertFile: text({
    placeholder: '<path>',
    default: undefined,
    aliases: ['S3_CA_CERT_FILE', 'WALG_S3_CA_CERT_FILE', 'AWS_CA_BUNDLE'],
    doc: 'Certificates (PEM) to trust for the S3 endpoint besides the built-in ones.',
  }),
  gcsEndpoint: text({
    placeholder: '<url>',
    default: undefined,
    aliases: ['STORAGE_EMULATOR_HOST'],
    doc: 'Endpoint of a Google Cloud Storage emulator; no credentials are sent to it.',
  }),
  azureEndpointSuffix: text({
    placeholder: '<host>',
    default: undefined,
    aliases: ['AZURE_ENDPOINT_SUFFIX'],
    doc: 'DNS suffix of the Azure cloud, e.g. core.chinacloudapi.cn.',
  }),
  logLevel: choice(['debug', 'info', 'warn', 'error'], {
    default: 'info',
    aliases: ['WALG_LOG_LEVEL'],
    aliasParsers: { WALG_LOG_LEVEL: parseWalgLogLevel },
    doc: 'The least severe log lines that are written to stderr.',
  }),
  logFormat: choice(['text', 'json'], { default: 'text', doc: 'Log lines for people, or one JSON object per line.' }),
};

export const settingNames: readonly SettingName[] = Object.keys(settingsTable) as SettingName[];

/** `fetchDeadline` gives `--fetch-deadline`. */
export function flagOf(name: SettingName): string {
  return `--${kebabCase(name)}`;
}

/** `fetchDeadline` gives `SEAWALL_FETCH_DEADLINE`. */
export function variableOf(name: SettingName): string {
  return `SEAWALL_${kebabCase(name).replaceAll('-', '_').toUpperCase()}`;
}

function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The variables of the settings that are secrets, those that other tools have for them included. */
export const secretSettingVariables: readonly string[] = settingNames
  .filter((name) => settingsTable[name].isSecret)
  .flatMap((name) => [variableOf(name), ...settingsTable[name].aliases]);

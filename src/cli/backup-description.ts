import type { IntegrityError } from '../errors.ts';
import { formatLsn } from '../postgres/lsn.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { formatBytes } from '../util/bytes.ts';
import { formatDuration } from '../util/duration.ts';
import { formatInstant } from './output.ts';

/** A backup, and why its chain is broken, if it is. */
export interface DescribedBackup {
  readonly backup: BackupRecord;
  readonly chainProblem: IntegrityError | undefined;
}

/** A backup in `--json`: stable keys, UTC instants, sizes in bytes, LSNs and the system identifier as texts. */
export function backupAsJson({ backup, chainProblem }: DescribedBackup): Readonly<Record<string, unknown>> {
  return {
    name: backup.name,
    storedAt: backup.modifiedAt,
    startedAt: backup.startedAt ?? null,
    finishedAt: backup.finishedAt ?? null,
    durationSeconds: secondsOf(backup),
    timeline: backup.timeline,
    startLsn: formatLsn(backup.startLsn),
    finishLsn: formatLsn(backup.finishLsn),
    startSegment: backup.startSegment,
    uncompressedSizeBytes: backup.uncompressedSizeBytes,
    compressedSizeBytes: backup.compressedSizeBytes,
    tablespaces: backup.tablespaces.map(({ oid, location }) => ({ oid, location })),
    deltaFrom: backup.parent?.name ?? null,
    deltaCount: backup.parent?.count ?? 0,
    fullBackup: backup.parent?.fullName ?? backup.name,
    chainProblem: chainProblem?.message ?? null,
    permanent: backup.isPermanent,
    pgVersion: backup.pgVersion,
    systemIdentifier: backup.systemIdentifier?.toString() ?? null,
    hostname: backup.hostname ?? null,
    dataDirectory: backup.dataDirectory ?? null,
    userData: plainJson(backup.userData) ?? null,
  };
}

/** Numbers stay numbers, but those that a reader would round become texts. */
function plainJson(value: unknown): unknown {
  const replace = (_key: string, item: unknown) =>
    typeof item !== 'bigint' ? item : Number.isSafeInteger(Number(item)) ? Number(item) : String(item);
  const text = JSON.stringify(value, replace);
  return text === undefined ? undefined : JSON.parse(text);
}

/** The columns of `list`. */
export const listHeadings: readonly string[] = [
  'name',
  'finished',
  'took',
  'size',
  'stored',
  'timeline',
  'start LSN',
  'finish LSN',
  'tablespaces',
  'kind',
];

/** One row of `list`, in the order of {@link listHeadings}. */
export function backupAsRow({ backup, chainProblem }: DescribedBackup): string[] {
  return [
    backup.name,
    formatInstant(backup.finishedAt ?? backup.modifiedAt),
    tookText(backup),
    formatBytes(backup.uncompressedSizeBytes),
    formatBytes(backup.compressedSizeBytes),
    String(backup.timeline),
    formatLsn(backup.startLsn),
    formatLsn(backup.finishLsn),
    String(backup.tablespaces.length),
    `${kindOf(backup)}${chainProblem === undefined ? '' : ', incomplete'}${backup.isPermanent ? ', permanent' : ''}`,
  ];
}

/** `show` as pairs of a word and its value. */
export function backupAsPairs({ backup, chainProblem }: DescribedBackup): [string, string][] {
  return [
    ['name', backup.name],
    ['kind', kindOf(backup)],
    ...(chainProblem === undefined ? [] : [['cannot be restored', chainProblem.message] satisfies [string, string]]),
    ['started', backup.startedAt === undefined ? 'unknown' : formatInstant(backup.startedAt)],
    ['finished', formatInstant(backup.finishedAt ?? backup.modifiedAt)],
    ['took', tookText(backup)],
    ['size of its files', formatBytes(backup.uncompressedSizeBytes)],
    ['size as stored', formatBytes(backup.compressedSizeBytes)],
    ['timeline', String(backup.timeline)],
    ['start LSN', `${formatLsn(backup.startLsn)} (segment ${backup.startSegment})`],
    ['finish LSN', formatLsn(backup.finishLsn)],
    ['PostgreSQL', formatVersion(backup.pgVersion)],
    ['system identifier', backup.systemIdentifier?.toString() ?? 'unknown'],
    ['host', backup.hostname ?? 'unknown'],
    ['data directory', backup.dataDirectory ?? 'unknown'],
    ...backup.tablespaces.map(({ oid, location }): [string, string] => [`tablespace ${oid}`, location]),
    ['permanent', backup.isPermanent ? 'yes' : 'no'],
    ...(backup.userData == null ? [] : [['user data', JSON.stringify(plainJson(backup.userData))] as [string, string]]),
  ];
}

/** `180004` gives `18.4`: two places for the minor version since PostgreSQL 10. */
function formatVersion(serverVersionNumber: number): string {
  return `${Math.floor(serverVersionNumber / 10_000)}.${serverVersionNumber % 10_000}`;
}

/** `delta 2 upon <its parent>` */
function kindOf({ parent }: BackupRecord): string {
  return parent === undefined ? 'full' : `delta ${parent.count} upon ${parent.name}`;
}

function tookText(backup: BackupRecord): string {
  const seconds = secondsOf(backup);
  return seconds === null ? 'unknown' : formatDuration(seconds * 1000);
}

function secondsOf({ startedAt, finishedAt }: BackupRecord): number | null {
  return startedAt === undefined || finishedAt === undefined
    ? null
    : (finishedAt.getTime() - startedAt.getTime()) / 1000;
}

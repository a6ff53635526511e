import { type ZodType, z } from 'zod';
import { type Lsn, toLsn } from '../postgres/lsn.ts';
import { formatDate } from './instant.ts';
import { formatJsonObject, instant, parseJsonObject, safeCount, unsigned64 } from './json-object.ts';

/** A tablespace outside of the data directory. */
export interface BackupTablespace {
  readonly oid: string;
  /** Real path at the time of the backup. */
  readonly location: string;
}

/** What a delta backup stands on. */
export interface BackupParent {
  /** The backup directly below. */
  readonly name: string;
  /** The full backup at the bottom of the chain. */
  readonly fullName: string;
  /** 1 for the first delta upon the full backup. */
  readonly count: number;
  /** Where the backup directly below starts; pages from there on are in this one. */
  readonly startLsn: Lsn;
}

/**
 * The object whose presence means that a backup exists, `<name>_backup_stop_sentinel.json`, in WAL-G's second generation.
 * Fields that WAL-G's first generation does not have may be missing.
 */
export interface Sentinel {
  readonly startLsn: Lsn;
  readonly finishLsn: Lsn;
  /** `server_version_num`, e.g. 180004. */
  readonly pgVersion: number;
  readonly systemIdentifier: bigint | undefined;
  /** Bytes of the files in the parts, without tar's headers and padding. */
  readonly uncompressedSizeBytes: number;
  /** Bytes of the parts as stored. */
  readonly compressedSizeBytes: number;
  /** Sizes of everything that was found in the data directory and the tablespaces; undefined in older backups. */
  readonly dataCatalogSizeBytes: number | undefined;
  readonly tablespaces: readonly BackupTablespace[];
  /** The data directory to which the tablespaces belonged; undefined without tablespaces. */
  readonly basePrefix: string | undefined;
  readonly parent: BackupParent | undefined;
  /** Whether the backup was made without files_metadata.json. */
  readonly filesMetadataDisabled: boolean;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly hostname: string | undefined;
  readonly dataDirectory: string | undefined;
  /** As it was when the backup was made; metadata.json has the current truth. */
  readonly isPermanent: boolean;
  /** Whatever the user attached, any JSON with integers as bigint. */
  readonly userData: unknown;
}

/** WAL-G's text for the format of its times; it stands in every sentinel and metadata object. */
export const dateFormat = '%Y-%m-%dT%H:%M:%S.%fZ';

const tablespaceShape = z.object({ loc: z.string(), link: z.string() });
const specShape = z.looseObject({ base_prefix: z.string().optional(), tablespaces: z.array(z.string()).nullish() });

const lsn = unsigned64.transform(toLsn);

/** The fields of WAL-G's JSON, as WAL-G 3 writes and reads them; unknown fields are left alone. */
export const sentinelSchema: ZodType<Sentinel> = z
  .object({
    LSN: lsn,
    FinishLSN: lsn,
    PgVersion: safeCount,
    SystemIdentifier: unsigned64.nullish(),
    UncompressedSize: safeCount.default(0),
    CompressedSize: safeCount.default(0),
    DataCatalogSize: safeCount.nullish(),
    Spec: specShape.nullish(),
    spec: specShape.nullish(),
    DeltaLSN: lsn.nullish(),
    DeltaFromLSN: lsn.nullish(),
    DeltaFrom: z.string().nullish(),
    DeltaFullName: z.string().nullish(),
    DeltaCount: safeCount.nullish(),
    FilesMetadataDisabled: z.boolean().default(false),
    StartTime: instant.nullish(),
    FinishTime: instant.nullish(),
    Hostname: z.string().nullish(),
    DataDir: z.string().nullish(),
    IsPermanent: z.boolean().default(false),
    UserData: z.unknown().optional(),
  })
  .transform((json, context): Sentinel => {
    const spec = json.Spec ?? json.spec ?? undefined;
    const parentLsn = json.DeltaLSN ?? json.DeltaFromLSN;
    let parent: BackupParent | undefined;
    if (typeof json.DeltaFrom === 'string') {
      if (parentLsn == null || json.DeltaFullName == null || json.DeltaCount == null) {
        context.addIssue({
          code: 'custom',
          path: ['DeltaFrom'],
          message: 'DeltaLSN, DeltaFullName or DeltaCount is missing',
        });
        return z.NEVER;
      }
      parent = { name: json.DeltaFrom, fullName: json.DeltaFullName, count: json.DeltaCount, startLsn: parentLsn };
    }
    const tablespaces: BackupTablespace[] = [];
    for (const oid of spec?.tablespaces ?? []) {
      const tablespace = tablespaceShape.safeParse(spec?.[oid]);
      if (!/^\d+$/.test(oid) || !tablespace.success) {
        context.addIssue({ code: 'custom', path: ['Spec', oid], message: 'not a tablespace with loc and link' });
        return z.NEVER;
      }
      tablespaces.push({ oid, location: tablespace.data.loc });
    }
    return {
      startLsn: json.LSN,
      finishLsn: json.FinishLSN,
      pgVersion: json.PgVersion,
      systemIdentifier: json.SystemIdentifier ?? undefined,
      uncompressedSizeBytes: json.UncompressedSize,
      compressedSizeBytes: json.CompressedSize,
      dataCatalogSizeBytes: json.DataCatalogSize ?? undefined,
      tablespaces,
      basePrefix: spec?.base_prefix,
      parent,
      filesMetadataDisabled: json.FilesMetadataDisabled,
      startedAt: json.StartTime ?? undefined,
      finishedAt: json.FinishTime ?? undefined,
      hostname: json.Hostname ?? undefined,
      dataDirectory: json.DataDir ?? undefined,
      isPermanent: json.IsPermanent,
      userData: json.UserData,
    };
  });

/** Parses a sentinel's bytes. @param name - for the message, the object's key or URL @throws {@link IntegrityError} */
export function parseSentinel(bytes: Uint8Array, name: string): Sentinel {
  return parseJsonObject(bytes, sentinelSchema, name);
}

/** A sentinel's bytes, with WAL-G's keys in WAL-G's order; what does not apply is left out, as WAL-G does. */
export function formatSentinel(sentinel: Sentinel): Uint8Array {
  const { parent } = sentinel;
  return formatJsonObject({
    LSN: sentinel.startLsn,
    DeltaLSN: parent?.startLsn,
    DeltaFrom: parent?.name,
    DeltaFullName: parent?.fullName,
    DeltaCount: parent?.count,
    PgVersion: sentinel.pgVersion,
    FinishLSN: sentinel.finishLsn,
    SystemIdentifier: sentinel.systemIdentifier,
    UncompressedSize: sentinel.uncompressedSizeBytes,
    CompressedSize: sentinel.compressedSizeBytes,
    DataCatalogSize: sentinel.dataCatalogSizeBytes,
    Spec: formatSpec(sentinel),
    UserData: sentinel.userData ?? undefined,
    FilesMetadataDisabled: sentinel.filesMetadataDisabled || undefined,
    ChkpNum: null,
    Version: 2,
    StartTime: formatDate(sentinel.startedAt),
    FinishTime: formatDate(sentinel.finishedAt),
    DateFmt: dateFormat,
    Hostname: sentinel.hostname,
    DataDir: sentinel.dataDirectory,
    IsPermanent: sentinel.isPermanent,
  });
}

function formatSpec({ tablespaces, basePrefix }: Sentinel): object | undefined {
  if (tablespaces.length === 0) return undefined;
  const links = tablespaces.map(({ oid, location }) => [oid, { loc: location, link: `pg_tblspc/${oid}` }]);
  return { ...Object.fromEntries(links), base_prefix: basePrefix, tablespaces: tablespaces.map(({ oid }) => oid) };
}

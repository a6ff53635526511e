import { createHash } from 'node:crypto';
import { type Header, pack } from 'tar-stream';
import type { ManifestChecksum } from '../../src/postgres/backup-manifest.ts';
import { manifestHeader } from '../../src/postgres/backup-manifest.ts';
import { createFileChecksum } from '../../src/postgres/file-checksum.ts';
import { createManifestWriter } from '../../src/postgres/write-manifest.ts';
import { backupManifestKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { formatSentinel, type Sentinel } from '../../src/repository/sentinel.ts';
import { backupRecord } from './backup-record.ts';

/** A member of a tar, with its content. */
export type TarMember = Partial<Header> & { readonly name: string; readonly content?: string | Buffer };

/** The bytes of a tar. */
export async function tarOf(...members: readonly TarMember[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = '', ...header } of members) archive.entry({ mode: 0o600, ...header }, content);
  archive.finalize();
  return Buffer.concat((await Array.fromAsync(archive)) as Buffer[]);
}

export const backupName = 'base_000000010000000000000002';
const systemIdentifier = 7_710_517_932_700_386_965n;

export const labelText = [
  'START WAL LOCATION: 0/2000028 (file 000000010000000000000002)',
  'CHECKPOINT LOCATION: 0/2000080',
  'BACKUP METHOD: streamed',
  'BACKUP FROM: primary',
  'START TIME: 2026-01-02 03:04:05 UTC',
  'LABEL: test',
  'START TIMELINE: 1',
  '',
].join('\n');

/** pg_control of PostgreSQL 18 with that system identifier and nothing else of interest; see `src/postgres/control-file.ts`. */
export function controlFileOf(identifier: bigint = systemIdentifier, segmentSizeBytes = 16 * 1024 * 1024): Buffer {
  const bytes = Buffer.alloc(8192);
  bytes.writeBigUInt64LE(identifier, 0);
  bytes.writeUInt32LE(1800, 8);
  bytes.writeUInt32LE(202506291, 12);
  bytes.writeUInt32LE(6, 16);
  bytes.writeUInt32LE(1, 48);
  for (const [index, limit] of [150, 8, 10, 0, 64].entries()) bytes.writeUInt32LE(limit, 180 + 4 * index);
  bytes.writeUInt32LE(8192, 216);
  bytes.writeUInt32LE(segmentSizeBytes, 228);
  const checksum = createFileChecksum('CRC32C');
  checksum.update(bytes.subarray(0, 292));
  Buffer.from(checksum.digest(), 'hex').copy(bytes, 292);
  return bytes;
}

/** What a test says of a backup; the rest is as in a small one. */
export interface BackupToStore {
  readonly name?: string;
  /** The parts with data, from the first on. */
  readonly parts?: readonly (readonly TarMember[])[];
  /** Members of pg_control.tar; null for no such part. */
  readonly control?: readonly TarMember[] | null;
  readonly label?: readonly TarMember[] | null;
  /** Files that the manifest lists; by default all that the parts hold. Null for no manifest, as in WAL-G's backups. */
  readonly manifest?: Readonly<Record<string, string | Buffer>> | null;
  readonly sentinel?: Partial<Sentinel>;
  /** Whether the tars end with two empty blocks, as all but those of WAL-G's remote backups do. */
  readonly haveEndMarks?: boolean;
}

export const dataMembers: readonly TarMember[] = [
  { name: '/', type: 'directory', mode: 0o700 },
  { name: '/PG_VERSION', content: '18\n' },
  { name: '/postgresql.conf', content: 'max_connections = 100\n' },
  { name: '/postgresql.auto.conf', content: "work_mem = '8MB'\n" },
  { name: '/base', type: 'directory', mode: 0o700 },
  { name: '/base/1', type: 'directory', mode: 0o700 },
  { name: '/base/1/259', content: Buffer.alloc(16_384, 'page') },
];
/** The data of a small backup, and more. */
export const withMembers = (...members: readonly TarMember[]): TarMember[] => [...dataMembers, ...members];

export const controlMembers: readonly TarMember[] = [{ name: '/global/pg_control', content: controlFileOf() }];
export const labelMembers: readonly TarMember[] = [
  { name: 'backup_label', content: labelText },
  { name: 'tablespace_map', content: '' },
];

/** Stores a backup as Seawall would, and gives its name. */
export async function storeBackup(repository: Repository, backup: BackupToStore = {}): Promise<string> {
  const { name = backupName, parts = [dataMembers], control = controlMembers, label = labelMembers } = backup;
  const { store, codec } = repository;
  const suffix = codec.suffix === '' ? '' : `.${codec.suffix}`;
  let compressedSizeBytes = 0;
  const putPart = async (stem: string, members: readonly TarMember[]) => {
    const tar = (await tarOf(...members)).subarray(0, backup.haveEndMarks === false ? -1024 : undefined);
    const stored = Buffer.concat(await Array.fromAsync(codec.encode(streamOf(tar))));
    compressedSizeBytes += stored.byteLength;
    await store.put(`${partsPrefix(name)}${stem}.tar${suffix}`, stored);
  };
  for (const [index, members] of parts.entries()) await putPart(`part_${String(index + 1).padStart(3, '0')}`, members);
  if (control !== null) await putPart('pg_control', control);
  if (label !== null) await putPart('backup_label', label);
  if (backup.manifest !== null) {
    const files = backup.manifest ?? contentsOf([...parts, control ?? [], label ?? []].flat());
    await store.put(backupManifestKey(name), Buffer.from(manifestOf(files)));
  }
  const record = backupRecord({ name, finishLsn: '0/2000100' });
  await store.put(sentinelKey(name), formatSentinel({ ...record, compressedSizeBytes, ...backup.sentinel }));
  return name;
}

/** The content of every file of a small backup, by its path. */
export const contentsOfSmallBackup = (): Record<string, string | Buffer> =>
  contentsOf([...dataMembers, ...controlMembers, ...labelMembers]);

function contentsOf(members: readonly TarMember[]): Record<string, string | Buffer> {
  const files = members.filter(({ type = 'file', content = '' }) => type === 'file' && content !== '');
  return Object.fromEntries(files.map(({ name, content = '' }) => [name.replace(/^\//, ''), content]));
}

/** The text of a manifest of these files. */
export function manifestOf(files: Readonly<Record<string, string | Buffer>>): string {
  let text = '';
  const writer = createManifestWriter(manifestHeader(18, systemIdentifier), (piece) => {
    text += piece;
  });
  for (const [path, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    writer.addFile({ path, sizeBytes: bytes.byteLength, modifiedAt: new Date(0), checksum: checksumOf(bytes) });
  }
  writer.end([]);
  return text;
}

function checksumOf(bytes: Buffer): ManifestChecksum {
  return { algorithm: 'SHA256', hex: createHash('sha256').update(bytes).digest('hex') };
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

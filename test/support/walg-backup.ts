import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeTarHeader,
  type TarEntry,
  tarEndBytes,
  tarEntryOf,
  tarPaddingBytes,
} from '../../src/backup/tar-header.ts';
import { toLsn } from '../../src/postgres/lsn.ts';
import type { BackupRecord } from '../../src/repository/backup-catalogue.ts';
import type { FileMetadata } from '../../src/repository/files-metadata.ts';
import { formatInstant } from '../../src/repository/instant.ts';
import { filesMetadataKey, partsPrefix, sentinelKey } from '../../src/repository/layout.ts';
import { encodeObject } from '../../src/repository/object-coding.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { formatSentinel } from '../../src/repository/sentinel.ts';
import { formatFilesMetadata } from '../../src/repository/write-files-metadata.ts';
import { backupRecord } from './backup-record.ts';
import { changedPages, incrementOf } from './increment-bytes.ts';

/** A backup that WAL-G might have taken, as far as the next delta must know it. */
export interface WalgBackup {
  readonly record: BackupRecord;
  readonly files: ReadonlyMap<string, FileMetadata>;
}

export interface WalgBackupFacts {
  readonly name: string;
  readonly startLsn: bigint;
  readonly finishLsn: bigint;
  readonly systemIdentifier: bigint;
  readonly label: string;
  readonly parent?: WalgBackup;
  /** A part is closed when its files exceed this. */
  readonly partSizeBytes?: number;
  readonly tablespaces?: BackupRecord['tablespaces'];
}

const excluded = new Set(['pg_wal', 'log', 'postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_stat_tmp']);

/**
 * Writes a backup of a directory, a snapshot of a data directory, as WAL-G does: files with the parent's modification time are skipped,
 * files of relations that the parent has are stored by their changed pages, everything else is stored whole.
 */
export async function writeWalgBackup(
  repository: Repository,
  directory: string,
  facts: WalgBackupFacts,
): Promise<WalgBackup> {
  const { parent, partSizeBytes = 1024 ** 3 } = facts;
  const files = new Map<string, FileMetadata>();
  const parts = new Map<string, string[]>();
  const suffix = repository.codec.suffix === '' ? '' : `.${repository.codec.suffix}`;
  let sizeBytes = 0;

  const putPart = async (stem: string, tar: AsyncIterable<Uint8Array>) => {
    const key = `${partsPrefix(facts.name)}${stem}.tar${suffix}`;
    const stored = Buffer.concat(await Array.fromAsync(encodeObject(repository, tar)));
    await repository.store.put(key, stored);
  };
  const walk = walkDirectory(directory, '');
  const takeEntry = (path: string): { entry: TarEntry; content: Buffer } | undefined => {
    const status = lstatSync(join(directory, path), { bigint: true });
    const name = `/${path}`;
    const modifiedTime = formatInstant(status.mtimeNs);
    const before = parent?.files.get(name);
    const file = { isIncremented: false, isSkipped: false, modifiedTime, corruptBlocks: undefined };
    if (status.isDirectory()) {
      files.set(name, file);
      return { entry: tarEntryOf(path, 'directory', status), content: Buffer.alloc(0) };
    }
    if (before?.modifiedTime === modifiedTime) {
      files.set(name, { ...file, isSkipped: true });
      return undefined;
    }
    let content: Buffer = readFileSync(join(directory, path));
    const isIncremented = parent !== undefined && before !== undefined && isPaged(path, content);
    if (isIncremented) content = incrementOf(content.length, changedPages(content, parent.record.startLsn));
    files.set(name, { ...file, isIncremented });
    return { entry: { ...tarEntryOf(path, 'file', status), sizeBytes: content.length }, content };
  };

  let next = walk.next();
  while (next.done !== true) {
    const stem = `part_${String(parts.size + 1).padStart(3, '0')}`;
    const names: string[] = [];
    async function* tar(): AsyncGenerator<Uint8Array> {
      let partBytes = 0;
      for (; next.done !== true && partBytes <= partSizeBytes; next = walk.next()) {
        const taken = takeEntry(next.value);
        if (taken === undefined) continue;
        names.push(taken.entry.name);
        partBytes += taken.content.length;
        yield* packEntry(taken.entry, taken.content);
      }
      sizeBytes += partBytes;
      yield Buffer.alloc(tarEndBytes);
    }
    await putPart(stem, tar());
    parts.set(`${stem}.tar${suffix}`, names);
  }

  const control = readFileSync(join(directory, 'global/pg_control'));
  await putPart('pg_control', tarOfFiles({ '/global/pg_control': control }));
  await putPart(
    'backup_label',
    tarOfFiles({ backup_label: Buffer.from(facts.label), tablespace_map: Buffer.alloc(0) }),
  );
  parts.set(`backup_label.tar${suffix}`, ['backup_label', 'tablespace_map']);
  const list = formatFilesMetadata({ files: () => files, parts: () => parts, databases: () => [] });
  await repository.store.put(filesMetadataKey(facts.name), Buffer.concat(await Array.fromAsync(list)));

  const above = parent?.record;
  const record = backupRecord({
    name: facts.name,
    startLsn: toLsn(facts.startLsn),
    finishLsn: `${(facts.finishLsn >> 32n).toString(16)}/${(facts.finishLsn & 0xffff_ffffn).toString(16)}`,
    systemIdentifier: facts.systemIdentifier,
    uncompressedSizeBytes: sizeBytes,
    tablespaces: facts.tablespaces ?? [],
    parent: above && {
      name: above.name,
      fullName: above.parent?.fullName ?? above.name,
      count: (above.parent?.count ?? 0) + 1,
      startLsn: above.startLsn,
    },
  });
  await repository.store.put(sentinelKey(facts.name), formatSentinel(record));
  return { record, files };
}

function* walkDirectory(directory: string, path: string): Generator<string> {
  yield path;
  for (const entry of readdirSync(join(directory, path), { withFileTypes: true })) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (below === 'global/pg_control') continue;
    if (entry.isDirectory() && !excluded.has(entry.name)) yield* walkDirectory(directory, below);
    else if (entry.isDirectory() || (entry.isFile() && !excluded.has(entry.name))) yield below;
  }
}

/** Which files WAL-G takes by pages. */
function isPaged(path: string, { length }: Buffer): boolean {
  return /(?:base|pg_tblspc).*\/\d+(?:\.\d+)?$/.test(path) && length > 0 && length % 8192 === 0;
}

function* packEntry(entry: TarEntry, content: Buffer): Generator<Uint8Array> {
  yield encodeTarHeader(entry);
  yield content;
  yield Buffer.alloc(tarPaddingBytes(content.length));
}

async function* tarOfFiles(files: Readonly<Record<string, Buffer>>): AsyncGenerator<Uint8Array> {
  for (const [name, content] of Object.entries(files)) {
    const rights = { mode: 0o600, userId: 0, groupId: 0, modifiedSeconds: 0 };
    yield* packEntry({ name, kind: 'file', sizeBytes: content.length, ...rights }, content);
  }
  yield Buffer.alloc(tarEndBytes);
}

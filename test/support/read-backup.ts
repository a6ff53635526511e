import { codecForSuffix } from '../../src/codec/codecs.ts';
import type { ManifestFile } from '../../src/postgres/backup-manifest.ts';
import { createFileChecksum } from '../../src/postgres/file-checksum.ts';
import { readManifest } from '../../src/postgres/read-manifest.ts';
import { backupManifestKey, filesMetadataKey, partsPrefix, suffixAfter } from '../../src/repository/layout.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { readTar } from '../../src/restore/tar-entries.ts';
import { joined } from './byte-streams.ts';

/** An entry of a part, with what a manifest would say of it. */
export interface PartEntry {
  readonly name: string;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly checksum: string;
}

/** Everything that a backup in the repository consists of, read back. */
export interface StoredBackup {
  /** By file name of the part, with its suffix. */
  readonly parts: ReadonlyMap<string, readonly PartEntry[]>;
  readonly manifest: readonly ManifestFile[];
  /** The text of files_metadata.json. */
  readonly filesMetadata: string;
}

export async function readStoredBackup({ store }: Repository, name: string): Promise<StoredBackup> {
  const parts = new Map<string, PartEntry[]>();
  for await (const { key } of store.list(partsPrefix(name))) {
    const fileName = key.slice(partsPrefix(name).length);
    const codec = codecForSuffix(suffixAfter(fileName.replace(/\.tar.*$/, '.tar'), fileName) ?? '');
    if (codec === undefined) throw new Error(`no codec reads ${key}`);
    const entries: PartEntry[] = [];
    for await (const entry of readTar(codec.decode((await store.get(key)).body), key, true)) {
      const checksum = createFileChecksum('CRC32C');
      for await (const chunk of entry.body) checksum.update(chunk);
      const { kind, sizeBytes } = entry;
      entries.push({ name: entry.name, kind, sizeBytes, checksum: checksum.digest() });
    }
    parts.set(fileName, entries);
  }
  const manifest: ManifestFile[] = [];
  await readManifest((await store.get(backupManifestKey(name))).body, (file) => manifest.push(file));
  const filesMetadata = (await joined((await store.get(filesMetadataKey(name))).body)).toString();
  return { parts, manifest, filesMetadata };
}

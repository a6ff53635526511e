import { formatLsn, toLsn } from '../../src/postgres/lsn.ts';
import { filesMetadataKey } from '../../src/repository/layout.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { incrementOf } from './increment-bytes.ts';
import { backupName as full, labelText, storeBackup, type TarMember } from './stored-backup.ts';

/** The delta upon the full backup. */
export const first = 'base_000000010000000000000004_D_000000010000000000000002';
/** The delta upon the first one. */
export const second = 'base_000000010000000000000006_D_000000010000000000000004';

/** A page filled with a letter. */
export const page = (fill: string) => Buffer.alloc(8192, fill);
/** Pages, one for each letter, filled with it. */
export const pages = (fills: string): Buffer => Buffer.concat([...fills].map(page));
/** An increment of a file of so many pages; the pages that it has, by block. */
export const increment = (blockCount: number, changed: Readonly<Record<number, string>>): Buffer =>
  incrementOf(blockCount * 8192, new Map(Object.entries(changed).map(([block, fill]) => [Number(block), page(fill)])));

/** What one backup of a chain holds. */
export interface Link {
  /** Whole files by name. */
  readonly whole?: Readonly<Record<string, string | Buffer>>;
  readonly pages?: Readonly<Record<string, Buffer>>;
  readonly unchanged?: readonly string[];
  /** Members that the list of files does not have. */
  readonly unlisted?: readonly TarMember[];
  /** Undefined for a complete list of parts; null for none. */
  readonly parts?: Readonly<Record<string, readonly string[]>> | null;
  readonly hasList?: boolean;
}

/** Stores one backup. @param segment - in which it begins; its parent begins two before */
export async function storeLink(
  repository: Repository,
  name: string,
  segment: number,
  link: Link,
  parent?: { name: string; count: number },
) {
  const startLsn = toLsn(BigInt(segment) * 0x100_0000n + 0x28n);
  const stored = { ...link.whole, ...link.pages };
  const members = [
    { name: '/', type: 'directory' as const, mode: 0o700 },
    ...Object.entries(stored).map(([path, content]) => ({ name: path, content, mtime: new Date(segment * 1000) })),
  ];
  const at = formatLsn(startLsn);
  await storeBackup(repository, {
    name,
    manifest: null,
    parts: [members, [...(link.unlisted ?? [])]],
    label: [
      { name: 'backup_label', content: labelText.replace('0/2000028', at) },
      { name: 'tablespace_map', content: '' },
    ],
    sentinel: {
      startLsn,
      finishLsn: toLsn(startLsn + 0x100n),
      parent: parent && { ...parent, fullName: full, startLsn: toLsn(BigInt(segment - 2) * 0x100_0000n + 0x28n) },
    },
  });
  if (link.hasList === false) return;
  const entry = (flags: object) => ({
    IsIncremented: false,
    IsSkipped: false,
    MTime: '2026-01-02T03:04:05Z',
    ...flags,
  });
  const list = {
    Files: {
      '/': entry({}),
      ...Object.fromEntries(Object.keys(link.whole ?? {}).map((path) => [path, entry({})])),
      ...Object.fromEntries(Object.keys(link.pages ?? {}).map((path) => [path, entry({ IsIncremented: true })])),
      ...Object.fromEntries((link.unchanged ?? []).map((path) => [path, entry({ IsSkipped: true })])),
    },
    ...(link.parts === null
      ? {}
      : { TarFileSets: link.parts ?? { 'part_001.tar.zst': ['/', ...Object.keys(stored)] } }),
  };
  await repository.store.put(filesMetadataKey(name), Buffer.from(JSON.stringify(list)));
}

/** Stores a full backup and one or two deltas upon it, which fit together. */
export async function storeChain(
  repository: Repository,
  ...[fullLink, firstLink, secondLink]: readonly [Link, Link, Link?]
): Promise<void> {
  await storeLink(repository, full, 2, fullLink);
  await storeLink(repository, first, 4, firstLink, { name: full, count: 1 });
  if (secondLink !== undefined) await storeLink(repository, second, 6, secondLink, { name: first, count: 2 });
}

import type { Codec } from '../codec/codec.ts';
import { knownSuffixes } from '../codec/codecs.ts';
import { AlreadyExistsError } from '../errors.ts';
import { parseWalFileName } from '../postgres/wal-name.ts';
import type { CallOptions, ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { backupFolder, suffixAfter, walFolder, walKey, walKeyPrefix } from './layout.ts';
import { decodeObject, encodeObject, type NamedObject, requireReadable } from './object-coding.ts';
import type { Repository } from './repository.ts';

/** Where a WAL file is stored: its key and the suffix that tells how it is compressed. */
export interface WalPlace {
  /** As PostgreSQL names it: `000000010000000000000002`, `00000002.history` … */
  readonly fileName: string;
  readonly key: string;
  /** What follows the name: `zst`; empty for uncompressed. */
  readonly suffix: string;
}

/** A WAL file that the repository holds. */
export interface ArchivedWal extends WalPlace, ObjectInfo {}

/** A WAL file that has been opened. */
export interface OpenedWal extends ArchivedWal {
  /** The plain bytes. What is wrong with them is thrown as by {@link decodeObject}. */
  readonly body: AsyncIterable<Uint8Array>;
}

const segmentNameLength = 24;

/** The place where WAL was last found, by repository: who wrote one file in a compression has likely written the next one so. */
const lastPlaces = new WeakMap<Repository, WalPlace>();

/** Where this repository writes the WAL file of this name. */
export function walPlace(repository: Repository, fileName: string): WalPlace {
  return { fileName, key: walKey(fileName, repository.codec), suffix: repository.codec.suffix };
}

/** Where a WAL file of this name most likely is: under the suffix of the last one found, or else where this repository writes it. */
export function likelyWalPlace(repository: Repository, fileName: string): WalPlace {
  const last = lastPlaces.get(repository);
  if (last === undefined) return walPlace(repository, fileName);
  const ending = last.key.slice(walKeyPrefix(last.fileName).length);
  return { fileName, key: walKeyPrefix(fileName) + ending, suffix: last.suffix };
}

/**
 * Every object that holds exactly this WAL file, in whatever compression, those included that we cannot read. An empty answer is
 * no proof that the file is absent: see {@link holdsObjects}.
 */
export async function findWal(
  repository: Repository,
  fileName: string,
  options: CallOptions = {},
): Promise<ArchivedWal[]> {
  const found: ArchivedWal[] = [];
  for await (const object of repository.store.list(walKeyPrefix(fileName), options)) {
    const suffix = suffixAfter(fileName, object.key.slice(walFolder.length));
    if (suffix !== undefined && knownSuffixes.includes(suffix)) found.push({ ...object, fileName, suffix });
  }
  return found;
}

/**
 * Whether the repository shows that it is one: it holds WAL or backups. A wrong address and a volume that is not mounted look
 * like an empty repository, so an empty one proves nothing about any file.
 */
export async function holdsObjects(repository: Repository, options: CallOptions = {}): Promise<boolean> {
  for (const folder of [backupFolder, walFolder]) {
    for await (const _ of repository.store.list(folder, options)) return true;
  }
  return false;
}

/**
 * Opens a stored WAL file.
 *
 * @throws {@link NotFoundError} when the store answers that there is no such object; that is no proof yet that the file is absent
 * @throws {@link ConfigError} when nothing here reads its compression
 */
export async function openWal(repository: Repository, place: WalPlace, options: CallOptions = {}): Promise<OpenedWal> {
  const { fileName, key, suffix } = place;
  const named = namedObject(repository, place);
  requireReadable(named);
  const object = await repository.store.get(key, options);
  lastPlaces.set(repository, place);
  return { ...object, fileName, suffix, body: decodeObject(repository, named, object.body) };
}

/** The plain bytes of a stored WAL file; it is opened when the first of them is asked for. Throws as {@link openWal} does. */
export async function* readWal(
  repository: Repository,
  place: WalPlace,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  yield* (await openWal(repository, place, options)).body;
}

/**
 * Stores a WAL file at this place, compressed as its suffix says and encrypted as the repository is set, unless something is there. When it
 * resolves, what is there is durable, also where somebody else has stored it: only the answer to a put says so.
 *
 * @param body - opens the plain bytes, for a codec that may release its chunks; called once per attempt. What it throws is thrown here,
 *   and nothing is stored.
 * @returns false when the place was taken, whatever its bytes
 */
export async function putWal(
  repository: Repository,
  place: WalPlace,
  body: (codec: Codec) => AsyncIterable<Uint8Array>,
  options: CallOptions = {},
): Promise<boolean> {
  const { codec: own } = repository;
  const codec = place.suffix === own.suffix ? own : requireReadable(namedObject(repository, place));
  try {
    const encoded = () => encodeObject(repository, body(codec), codec);
    await repository.store.put(place.key, encoded, { ...options, ifAbsent: true });
    return true;
  } catch (error) {
    if (error instanceof AlreadyExistsError) return false;
    throw error;
  }
}

/** Which of the stored segments to list. */
export interface ListSegmentsOptions extends CallOptions {
  /** What the names begin with, such as the eight digits of a timeline. */
  readonly namePrefix?: string | undefined;
  /** Begin behind this segment. */
  readonly startAfter?: string | undefined;
}

/** The stored segments in the order of their names; one that is stored in several compressions comes several times. */
export async function* listSegments(
  repository: Repository,
  { namePrefix = '', startAfter, signal }: ListSegmentsOptions = {},
): AsyncGenerator<ArchivedWal> {
  // Behind every key that begins with that name and a dot: '~' comes after all characters that names have.
  const startAfterKey = startAfter === undefined ? undefined : `${walFolder}${startAfter}.~`;
  for await (const object of repository.store.list(walFolder + namePrefix, { startAfter: startAfterKey, signal })) {
    const fileName = object.key.slice(walFolder.length, walFolder.length + segmentNameLength);
    const suffix = suffixAfter(fileName, object.key.slice(walFolder.length));
    if (parseWalFileName(fileName)?.kind !== 'segment' || suffix === undefined || !knownSuffixes.includes(suffix))
      continue;
    yield { ...object, fileName, suffix };
  }
}

function namedObject({ store }: Repository, { key, suffix }: WalPlace): NamedObject {
  return { name: nameOfObject(store, key), suffix };
}

/** How messages name an object: `s3://bucket/prefix/wal_005/…`. */
export function nameOfObject(store: ObjectStore, key: string): string {
  return `${store.location.replace(/\/$/, '')}/${key}`;
}

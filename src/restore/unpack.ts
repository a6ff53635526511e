import { IntegrityError } from '../errors.ts';
import { createFileChecksum } from '../postgres/file-checksum.ts';
import { byteStringAsText } from '../util/byte-string.ts';
import { gather } from '../util/gather.ts';
import type { Directories } from './directories.ts';
import { parseEntryName, parseTablespacePath } from './entry-path.ts';
import type { ExpectedFile, ExpectedFiles } from './expected-files.ts';
import type { FileSyncs } from './file-syncs.ts';
import { createNewFile } from './new-file.ts';
import type { PatchedFiles } from './patched-files.ts';
import { type Placement, parentOf, placeOf } from './placement.ts';
import { readTar, type TarEntry } from './tar-entries.ts';

/** What the parts are unpacked into; one for all of them. */
export interface Unpacking {
  readonly placement: Placement;
  readonly expected: ExpectedFiles;
  readonly directories: Directories;
  readonly patched: PatchedFiles;
  readonly syncs: FileSyncs;
  /** Files that are not written as they come but at the end, in their final form: pg_control, backup_label and the like. */
  readonly held: Map<string, Buffer>;
  /** Told of each piece that has been written. */
  readonly onBytes: (sizeBytes: number) => void;
  /** Told of a file of which so many pages are in no backup of the chain. */
  readonly onMissingPages: (path: string, pageCount: number) => void;
}

/** Which part is being unpacked. */
export interface PartOrigin {
  /** Names the part in messages. */
  readonly objectName: string;
  /** The link of the chain to which it belongs: 0 for the backup that is restored, 1 for its parent. */
  readonly link: number;
  /** See {@link readTar}. */
  readonly haveEndMarks: boolean;
}

/** Without these files, or with those of the backup, a half-restored cluster could be started or would recover elsewhere. */
export const heldPaths: ReadonlySet<string> = new Set([
  'global/pg_control',
  'backup_label',
  'tablespace_map',
  'postgresql.auto.conf',
]);

/** Steered the recovery or the run of the server that was backed up, and would steer this one. */
const droppedPaths: ReadonlySet<string> = new Set([
  'recovery.signal',
  'standby.signal',
  'postmaster.pid',
  'postmaster.opts',
  'backup_manifest',
]);

/** A server starts only in a directory that others cannot enter and its group cannot write to. */
const dataDirectoryBits = 0o750;

/** The largest of them is postgresql.auto.conf, which nobody fills with more than some kilobytes. */
const largestHeldBytes = 16 * 1024 * 1024;

/** Smaller pieces are put together before they are written: stores without compression deliver 16 KiB at a time. */
const writeSizeBytes = 256 * 1024;

/**
 * Lays down what one part holds: every file is created anew, compared with what the backup says of it while it is written, and
 * handed over to be synced. Of the parts of parents, only the files that the backup takes from there.
 *
 * @throws {@link IntegrityError} for everything in which the part is not what it should be; nothing is ever written outside of
 *   the placement's directories
 * @throws {@link LocalFileError} or {@link PermissionError} when a file cannot be written
 */
export async function unpackPart(
  source: AsyncIterable<Uint8Array>,
  origin: PartOrigin,
  unpacking: Unpacking,
): Promise<void> {
  const { objectName, link, haveEndMarks } = origin;
  for await (const entry of readTar(source, objectName, haveEndMarks)) {
    const path = parseEntryName(entry.name, objectName);
    if (entry.kind === 'file') {
      await unpackFile(path, entry, origin, unpacking);
      continue;
    }
    if (entry.kind === 'symlink') checkLink(path, entry, objectName);
    // A directory is as the newest backup has it.
    else if (link === 0) await unpackDirectory(path, entry, unpacking);
    unpacking.expected.complete(path, link);
  }
}

async function unpackDirectory(path: string, entry: TarEntry, unpacking: Unpacking): Promise<void> {
  const mode = path === '' ? entry.mode & dataDirectoryBits : entry.mode & 0o777;
  await unpacking.directories.ensureWithMode(placeOf(path, unpacking.placement), mode);
}

/**
 * Links of tablespaces are made from the plan, never from the tar. WAL-G stores any other link with its own name as the target, so
 * nobody knows where it led to; it is left out.
 */
function checkLink(path: string, { linkName }: TarEntry, objectName: string): void {
  const isTablespace = parseTablespacePath(path)?.rest === '';
  const isLostLink = linkName === path.slice(path.lastIndexOf('/') + 1);
  if (isTablespace || isLostLink) return;
  throw new IntegrityError(`${objectName} holds ${show(path)}, a link to ${JSON.stringify(linkName)}`, {
    hint: 'Nothing outside the destination has been written; do not trust this backup.',
  });
}

async function unpackFile(
  path: string,
  entry: TarEntry,
  { objectName, link }: PartOrigin,
  unpacking: Unpacking,
): Promise<void> {
  const held = link === 0 ? unpacking.held.get(path) : undefined;
  if (held !== undefined) {
    // WAL-G's remote backups hold pg_control twice.
    if (held.equals(await holdFile(path, entry, undefined, objectName))) return;
    throw new IntegrityError(`${objectName} holds ${show(path)} with other bytes than another part of the backup`);
  }
  const arriving = unpacking.expected.arrive(path, link, objectName);
  const arrival = arriving instanceof Promise ? await arriving : arriving;
  if (arrival === undefined) return;
  const { form, expected } = arrival;
  if (expected !== undefined && entry.sizeBytes !== expected.sizeBytes) {
    throw new IntegrityError(
      `${objectName} holds ${show(path)} with ${entry.sizeBytes} bytes instead of ${expected.sizeBytes}`,
    );
  }
  if (heldPaths.has(path)) {
    if (form !== 'file') throw new IntegrityError(`${objectName} holds ${show(path)} as an increment`);
    unpacking.held.set(path, await holdFile(path, entry, expected, objectName));
  } else if (!droppedPaths.has(path)) {
    if (form === 'file') await writeFile(path, entry, expected, objectName, unpacking);
    else await patchFile(path, entry, form, objectName, unpacking);
  }
  unpacking.expected.complete(path, link);
}

async function patchFile(
  path: string,
  entry: TarEntry,
  form: 'increment' | 'remainder',
  objectName: string,
  { placement, patched, onMissingPages }: Unpacking,
): Promise<void> {
  const place = placeOf(path, placement);
  const what = `${objectName} holds ${show(path)}`;
  if (form === 'increment') {
    await patched.addIncrement(place, entry, what);
    return;
  }
  const { missingPages } = await patched.addWhole(place, entry, what);
  if (missingPages > 0) onMissingPages(path, missingPages);
}

async function holdFile(
  path: string,
  entry: TarEntry,
  expected: ExpectedFile | undefined,
  objectName: string,
): Promise<Buffer> {
  if (entry.sizeBytes > largestHeldBytes) {
    throw new IntegrityError(`${objectName} holds ${show(path)} with ${entry.sizeBytes} bytes`);
  }
  return Buffer.concat(await Array.fromAsync(checked(path, entry, expected, objectName)));
}

async function writeFile(
  path: string,
  entry: TarEntry,
  expected: ExpectedFile | undefined,
  objectName: string,
  { placement, directories, syncs, onBytes }: Unpacking,
): Promise<void> {
  const place = placeOf(path, placement);
  await directories.ensure(parentOf(place));
  const file = createNewFile(place, `${objectName} holds ${show(path)}`);
  let descriptor: number;
  try {
    for await (const piece of gather(checked(path, entry, expected, objectName), writeSizeBytes)) {
      await file.write(piece);
      onBytes(piece.byteLength);
    }
    descriptor = file.finish(entry.mode & 0o777, entry.modifiedAt);
  } catch (error) {
    file.abandon();
    throw error;
  }
  await syncs.add(descriptor, byteStringAsText(place));
}

/** The bytes of a file, which end with an error when they are not those that the backup promises. */
async function* checked(
  path: string,
  entry: TarEntry,
  expected: ExpectedFile | undefined,
  objectName: string,
): AsyncGenerator<Uint8Array> {
  const checksum = expected?.checksum && createFileChecksum(expected.checksum.algorithm);
  for await (const bytes of entry.body) {
    checksum?.update(bytes);
    yield bytes;
  }
  if (checksum === undefined || checksum.digest() === expected?.checksum?.hex) return;
  throw new IntegrityError(`${objectName} holds ${show(path)} with other bytes than the backup manifest says`, {
    hint: 'The object is damaged: restore from another backup, or from another copy of the repository.',
  });
}

function show(path: string): string {
  return JSON.stringify(byteStringAsText(path));
}

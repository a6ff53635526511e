import { IntegrityError } from '../errors.ts';
import { parseBackupLabel } from '../postgres/backup-label.ts';
import { checkFirstPage } from '../postgres/first-page.ts';
import { parseTimelineHistory } from '../postgres/timeline-history.ts';
import { parseWalHeader, walHeaderSizeBytes } from '../postgres/wal-header.ts';
import type { WalFileName } from '../postgres/wal-name.ts';
import { type PageWatch, watchPages } from '../postgres/wal-pages.ts';
import { createByteReader } from '../util/byte-reader.ts';
import type { Cluster } from './cluster.ts';

/** What a WAL file is held against besides its name. */
export interface WalExpectation {
  /** The cluster it must come from; unknown where no data directory is at hand. */
  readonly cluster?: Cluster | undefined;
  /** Accept page magics that this version does not know. */
  readonly acceptUnknownMagic?: boolean | undefined;
}

type BackupHistoryName = Extract<WalFileName, { kind: 'backup-history' }>;

/** A history has a line for each promotion, a `.backup` file ten lines: what is larger is neither, and not read into memory. */
const maximumTextSizeBytes = 1024 * 1024;

const blockSizeBytes = 1024 * 1024;

/** How many bytes from its start {@link checkStart} needs of a file of this kind; fewer when the file has fewer. */
export function startSizeBytes(name: WalFileName): number {
  return isText(name) ? maximumTextSizeBytes : walHeaderSizeBytes;
}

/**
 * Proves from its first bytes and its size that a file is what its name says: a segment (or `.partial`) from its first page, a
 * `.history` or `.backup` from its text.
 *
 * @param start - the first {@link startSizeBytes} bytes of the file, or all when it has fewer
 * @throws {@link IntegrityError} that names the file and what is wrong with it
 */
export function checkStart(
  name: WalFileName,
  start: Uint8Array,
  fileSizeBytes: number,
  expected: WalExpectation,
): void {
  if (isText(name)) checkText(name, start, fileSizeBytes);
  else checkSegment(name, start, fileSizeBytes, expected);
}

/**
 * Passes a WAL file's bytes on and proves on the way that they are what the name says: its start, its size, the headers of its pages.
 * Nothing of a file with a wrong start is passed on, and no byte beyond the size in its header, so that a hostile object cannot fill the disk.
 *
 * @throws {@link IntegrityError} that names the file and what is wrong with it; what the source throws
 */
export async function* checkedWal(
  name: WalFileName,
  source: AsyncIterable<Uint8Array>,
  expected: WalExpectation,
): AsyncGenerator<Uint8Array> {
  let passedBytes = 0;
  let sizeBytes = 0;
  let watch: PageWatch | undefined;
  await using reader = createByteReader(source);
  for (;;) {
    const block = await reader.read(blockSizeBytes);
    if (block.length === 0) break;
    if (passedBytes === 0) {
      sizeBytes = sizeFromStart(name, block);
      checkStart(name, block, sizeBytes, expected);
      watch = pageWatchFor(name, block);
    }
    passedBytes += block.length;
    if (passedBytes > sizeBytes) throw wrongSize(name, `goes on after the ${sizeBytes} bytes that it should have`);
    watch?.(block);
    yield block;
  }
  if (passedBytes === 0) checkStart(name, new Uint8Array(), 0, expected);
  if (passedBytes < sizeBytes) throw wrongSize(name, `ends after ${passedBytes} of ${sizeBytes} bytes`);
}

function pageWatchFor(name: WalFileName, start: Uint8Array): PageWatch | undefined {
  if (name.kind !== 'segment' && name.kind !== 'partial') return undefined;
  return watchPages(name.fileName, parseWalHeader(start, name.fileName), name.timeline);
}

/** What the header of a segment says; a text must fit into one block, so that is all of it. */
function sizeFromStart(name: WalFileName, start: Uint8Array): number {
  const hasHeader = !isText(name) && start.length >= walHeaderSizeBytes;
  return hasHeader ? parseWalHeader(start, name.fileName).segmentSizeBytes : start.length;
}

function checkSegment(name: WalFileName, page: Uint8Array, fileSizeBytes: number, expected: WalExpectation): void {
  const { fileName } = name;
  const { cluster, acceptUnknownMagic } = expected;
  const systemIdentifier = cluster?.systemIdentifier;
  const header = checkFirstPage({ fileName, fileSizeBytes, page, systemIdentifier, acceptUnknownMagic });
  if (cluster !== undefined && header.segmentSizeBytes !== cluster.segmentSizeBytes) {
    throw wrongSize(
      name,
      `is ${fileSizeBytes} bytes long, but the cluster's segments have ${cluster.segmentSizeBytes}`,
    );
  }
}

function checkText(name: WalFileName, bytes: Uint8Array, fileSizeBytes: number): void {
  if (fileSizeBytes === 0) throw wrongSize(name, 'is empty');
  if (fileSizeBytes > maximumTextSizeBytes)
    throw wrongSize(name, `is ${fileSizeBytes} bytes long, which no such file is`);
  if (name.kind === 'history') parseTimelineHistory(Buffer.from(bytes).toString(), name.timeline);
  if (name.kind === 'backup-history') checkBackupHistory(name, bytes);
}

function checkBackupHistory({ fileName, segmentName }: BackupHistoryName, bytes: Uint8Array): void {
  const refusal = (problem: string, cause?: unknown): IntegrityError =>
    new IntegrityError(`backup history file ${fileName} ${problem}`, {
      cause,
      hint: 'The file is damaged, or carries the name of another one.',
    });
  let startSegment: string;
  try {
    startSegment = parseBackupLabel(bytes).startSegment;
  } catch (error) {
    throw refusal('cannot be read', error);
  }
  if (startSegment !== segmentName) throw refusal(`begins in segment ${startSegment}`);
}

function isText(name: WalFileName): boolean {
  return name.kind === 'history' || name.kind === 'backup-history';
}

function wrongSize(name: WalFileName, problem: string): IntegrityError {
  return new IntegrityError(`WAL file ${name.fileName} ${problem}`, {
    hint: 'A full disk or an interrupted copy leaves such files: look for another copy of it.',
  });
}

import { IntegrityError, UsageError } from '../errors.ts';
import { formatLsn, type Lsn } from './lsn.ts';
import { formatMagic, parseWalHeader, type WalHeader } from './wal-header.ts';
import { isSegmentSize, parseSegmentName, parseWalFileName, segmentStartLsn } from './wal-name.ts';

export interface FirstPageCheck {
  /** The name that the segment has or is to have, with or without `.partial`. */
  readonly fileName: string;
  /** The size of the whole file. */
  readonly fileSizeBytes: number;
  /** The file's first `walHeaderSizeBytes` bytes, or more; all of it when it has fewer. */
  readonly page: Uint8Array;
  /** The cluster that the segment must come from, where it is known. */
  readonly systemIdentifier?: bigint | undefined;
  /** Accept a page magic that this version does not know, as of a PostgreSQL newer than Seawall. */
  readonly acceptUnknownMagic?: boolean | undefined;
}

/**
 * Proves from its first page that a file is the WAL segment that its name says: a known page magic, a long header, the size that
 * the header gives (1 MiB to 1 GiB), the address that belongs to the name, no later timeline than the name's, and the cluster.
 *
 * @returns the header, from which the segment size is known
 * @throws {@link IntegrityError} that names the file and what is wrong with it
 * @throws {@link UsageError} when the name is not that of a segment
 */
export function checkFirstPage(check: FirstPageCheck): WalHeader {
  const { fileName, fileSizeBytes, systemIdentifier } = check;
  const name = parseWalFileName(fileName);
  if (name?.kind !== 'segment' && name?.kind !== 'partial') {
    throw new UsageError(`not the name of a WAL segment: ${JSON.stringify(fileName)}`);
  }
  if (fileSizeBytes === 0) throw refusal(fileName, 'is empty', hints.size);
  const header = parseWalHeader(check.page, fileName);
  if (header.majorVersion === undefined && check.acceptUnknownMagic !== true) {
    throw refusal(fileName, `has the unknown page magic ${formatMagic(header.magic)}`, hints.magic);
  }
  const { segmentSizeBytes } = header;
  if (!isSegmentSize(segmentSizeBytes)) {
    throw refusal(
      fileName,
      `gives ${segmentSizeBytes} bytes as segment size in its header, which no cluster has`,
      hints.damaged,
    );
  }
  if (fileSizeBytes !== segmentSizeBytes) {
    throw refusal(fileName, `is ${fileSizeBytes} bytes long, but its header says ${segmentSizeBytes}`, hints.size);
  }
  const expectedLsn = startLsnOf(name.segmentName, segmentSizeBytes);
  if (header.startLsn !== expectedLsn) {
    const expected =
      expectedLsn === undefined ? `no position of segments of ${segmentSizeBytes} bytes` : formatLsn(expectedLsn);
    throw refusal(
      fileName,
      `begins at ${formatLsn(header.startLsn)}, but its name says ${expected}`,
      hints.otherSegment,
    );
  }
  if (header.timeline === 0 || header.timeline > name.timeline) {
    throw refusal(
      fileName,
      `begins on timeline ${header.timeline}, which cannot precede timeline ${name.timeline}`,
      hints.otherSegment,
    );
  }
  if (systemIdentifier !== undefined && header.systemIdentifier !== systemIdentifier) {
    const belongs = `belongs to the cluster with system identifier ${header.systemIdentifier}, not to ${systemIdentifier}`;
    throw refusal(fileName, belongs, hints.otherCluster);
  }
  return header;
}

const hints = {
  damaged: 'The file is damaged or no WAL segment: look for another copy of it before anything is removed.',
  size: 'The file is cut short or has grown: a full disk or an interrupted copy leaves such files.',
  magic:
    'It was written by a PostgreSQL that this version of Seawall does not know, or it is encrypted: update Seawall.',
  otherSegment: 'The file carries the name of another segment: it was renamed, or recycled and never written.',
  otherCluster: 'Give every cluster a repository of its own, also a clone and one made anew by initdb.',
} as const;

function refusal(fileName: string, problem: string, hint: string): IntegrityError {
  return new IntegrityError(`WAL segment ${fileName} ${problem}`, { hint });
}

/** Undefined when no segment of this size has that name. */
function startLsnOf(segmentName: string, segmentSizeBytes: number): Lsn | undefined {
  try {
    return segmentStartLsn(parseSegmentName(segmentName, segmentSizeBytes), segmentSizeBytes);
  } catch {
    return undefined;
  }
}

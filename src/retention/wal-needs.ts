import { formatSegmentName, parseSegmentName, segmentBeforeLsn } from '../postgres/wal-name.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { startSegmentOfBackup, walFolder } from '../repository/layout.ts';
import type { ObjectInfo } from '../storage/object-store.ts';

/**
 * WAL that something needs, from one segment to another, both included; without the second everything from the first on, on its own
 * timeline and on every higher one. Segment names order as timeline and position do, whatever the size of segments.
 */
export interface WalNeed {
  readonly from: string;
  readonly to?: string | undefined;
}

/** WAL-G's delta files cover so many segments, beginning with the one in the name. */
const deltaFileSegments = 16n;

/** Recovery from an ordinary backup may go to any later moment. */
export function needFrom(backupName: string): WalNeed {
  return { from: startSegmentOfBackup(backupName) };
}

/** A permanent backup keeps what brings it to consistency, from the byte before its start to its end. */
export function needOfPermanent(backup: BackupRecord, segmentSizeBytes: number): WalNeed {
  const { timeline, startLsn, finishLsn, startSegment } = backup;
  const segments = [startLsn, finishLsn].map((lsn) =>
    formatSegmentName(segmentBeforeLsn(timeline, lsn, segmentSizeBytes), segmentSizeBytes),
  );
  const [from = startSegment, , to] = [...segments, startSegment].sort();
  return { from, to };
}

/**
 * The objects below `wal_005/` that none of the needs covers: segments with what goes by their names (`.partial`, `.backup`, WAL-G's
 * metadata and delta files). Timeline histories and what has no segment's name are needed always.
 */
export function unneededWal(
  objects: readonly ObjectInfo[],
  needs: readonly WalNeed[],
  segmentSizeBytes: number,
): ObjectInfo[] {
  return objects.filter(({ key }) => {
    const span = spanOf(key, segmentSizeBytes);
    return span !== undefined && !needs.some((need) => covers(need, span.first, span.last));
  });
}

/** Whether a need reaches any segment from the first to the last. */
export function covers({ from, to }: WalNeed, first: string, last: string = first): boolean {
  return last >= from && (to === undefined || first <= to);
}

interface SegmentSpan {
  readonly first: string;
  readonly last: string;
}

function spanOf(key: string, segmentSizeBytes: number): SegmentSpan | undefined {
  if (!key.startsWith(walFolder)) return undefined;
  const [, first, mark] = /^([0-9A-F]{24})(_delta|\.|$)/.exec(key.slice(walFolder.length)) ?? [];
  if (first === undefined) return undefined;
  if (mark !== '_delta') return { first, last: first };
  // A name that does not exist with segments of this size is nobody's business here.
  if (BigInt(`0x${first.slice(16)}`) * BigInt(segmentSizeBytes) >= 0x1_0000_0000n) return undefined;
  const { timeline, segmentNumber } = parseSegmentName(first, segmentSizeBytes);
  const lastNumber = segmentNumber + deltaFileSegments - 1n;
  return { first, last: formatSegmentName({ timeline, segmentNumber: lastNumber }, segmentSizeBytes) };
}

import { directoryMark, type FoundFiles } from './file-records.ts';

/** One tar of the backup: indexes into the found files, directories before the files in them. */
export interface PlannedPart {
  /** From 1. */
  readonly number: number;
  readonly files: readonly number[];
}

export interface PlanOptions {
  /** A part is closed as soon as its files exceed this; a file is never split, so a part may be larger by almost one file. */
  readonly partSizeBytes: number;
  /** Parts that are written side by side. */
  readonly jobs: number;
}

/** Opening and closing a file takes about as long as compressing this much. */
const costOfFileBytes = 16 * 1024;

/** Below this a part is not made smaller for the sake of more parts. */
const smallestPartBytes = 16 * 1024 * 1024;

/** Parts per job, so that the jobs end at about the same time. */
const partsPerJob = 4;

/**
 * Distributes the files over parts, the largest first, so that what is left for the end is small. A cluster that would fill less
 * than a part per job gets smaller parts, to keep all jobs busy. The directories are all in the first part.
 */
export function planParts(found: FoundFiles, options: PlanOptions): PlannedPart[] {
  const directories: number[] = [];
  const files: number[] = [];
  let totalBytes = 0;
  for (const [index, sizeBytes] of found.sizesBytes.entries()) {
    if (sizeBytes === directoryMark) directories.push(index);
    else {
      files.push(index);
      totalBytes += cost(sizeBytes);
    }
  }
  const targetBytes = Math.min(options.partSizeBytes, balancedPartBytes(totalBytes, options.jobs));
  const sizeOf = (index: number) => found.sizesBytes[index] ?? 0;
  files.sort((a, b) => sizeOf(b) - sizeOf(a) || a - b);

  const parts = [directories];
  let filledBytes = 0;
  for (const index of files) {
    if (filledBytes > targetBytes) {
      parts.push([]);
      filledBytes = 0;
    }
    parts.at(-1)?.push(index);
    filledBytes += cost(sizeOf(index));
  }
  return parts.map((part, partIndex) => ({ number: partIndex + 1, files: part }));
}

function balancedPartBytes(totalBytes: number, jobs: number): number {
  if (jobs === 1) return Number.POSITIVE_INFINITY;
  return Math.max(smallestPartBytes, totalBytes / (jobs * partsPerJob));
}

function cost(sizeBytes: number): number {
  return sizeBytes + costOfFileBytes;
}

import type { CutSizes } from '../parts.ts';

/** The limits that the three cloud drivers share: memory per upload, and how long a silent service is waited for. */

const mebibyte = 1024 * 1024;

/** What one transfer may take of memory and time. */
export interface TransferLimits extends UploadLimits {
  /** A connection on which nothing has moved for this long is given up; by default 60 s. */
  readonly idleTimeoutMs?: number | undefined;
}

/** How much memory one upload may take; by default 24 MiB, so four side by side stay below 100 MiB. */
export interface UploadLimits {
  /** Size of one part of a large body, and of the largest body that goes out as one request. At least 5 MiB (S3), rounded up to 256 KiB (Google). */
  readonly partSizeBytes?: number | undefined;
  /** Parts of one upload that are in memory, being filled or sent. */
  readonly uploadConcurrency?: number | undefined;
}

/** By default an incompressible segment of 16 MiB in its frames still goes out as one request. */
const defaultSizes: CutSizes = { wholeBytes: 17 * mebibyte, partBytes: 8 * mebibyte };

export const defaultUploadConcurrency = 3;

/** The sizes by which the cloud drivers cut a body. */
export function cutSizes({ partSizeBytes }: UploadLimits): CutSizes {
  if (partSizeBytes === undefined) return defaultSizes;
  const quarter = mebibyte / 4;
  const partBytes = Math.ceil(Math.max(partSizeBytes, 5 * mebibyte) / quarter) * quarter;
  return { wholeBytes: partBytes, partBytes };
}

/** Requests of one call that delete objects one by one. */
export const deleteConcurrency = 16;

/** A connection must stand after this time. */
export const connectTimeoutMs = 10_000;

/** See {@link TransferLimits.idleTimeoutMs}. */
export const defaultIdleTimeoutMs = 60_000;

/**
 * How long one request may take when its connection cannot be watched: the idle time-out plus the time that the body
 * needs at 64 KiB/s, the slowest line that is still borne with.
 */
export function requestTimeoutMs(bodyBytes: number, idleTimeoutMs: number): number {
  return idleTimeoutMs + (bodyBytes / (64 * 1024)) * 1000;
}

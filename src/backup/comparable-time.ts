/** File times come from a clock of the kernel's that goes on every 10 ms at the slowest; here twice that. */
const tickNs = 20_000_000n;

const secondNs = 1_000_000_000n;

/** NFS and old file systems keep whole seconds, and some of them only every other one. */
const coarseTickNs = 2n * secondNs;

/**
 * The time by which a delta upon this backup tells that the file has not changed. A file that was written to in this very moment may be
 * written to once more, behind the reading, within the same tick of its file system: it gets a time that no file has, so that the delta
 * does not skip it.
 *
 * @param modifiedNs - of the file as it is opened, nanoseconds since 1970
 * @param openedMs - when that is, milliseconds since 1970
 */
export function comparableTime(modifiedNs: bigint, openedMs: number): bigint {
  const granularityNs = modifiedNs % secondNs === 0n ? coarseTickNs : tickNs;
  return BigInt(openedMs) * 1_000_000n - modifiedNs < granularityNs ? modifiedNs - 1n : modifiedNs;
}

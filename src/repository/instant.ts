/** Nanoseconds since 1970 as WAL-G writes a time: UTC, no trailing zeros, e.g. `2026-11-21T07:07:34.02206082Z`. */
export function formatInstant(instantNs: bigint): string {
  const fraction = ((instantNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((instantNs - fraction) / 1_000_000n))
    .toISOString()
    .slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? `${seconds}Z` : `${seconds}.${digits}Z`;
}

/** The same of a Date, which knows milliseconds. */
export function formatDate(at: Date | undefined): string | undefined {
  return at && formatInstant(BigInt(at.getTime()) * 1_000_000n);
}

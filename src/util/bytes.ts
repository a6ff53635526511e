const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** A size for people: `512 B`, `16.0 MiB`, `1.2 GiB`. */
export function formatBytes(sizeBytes: number): string {
  let power = 0;
  // The unit changes where the rounded figure would read 1024.0.
  while (power < units.length - 1 && sizeBytes / 1024 ** power >= (power === 0 ? 1024 : 1023.95)) power++;
  const value = sizeBytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/**
 * A size as a setting gives it: a whole number of bytes, or a number with `KiB`, `MiB`, `GiB`, `TiB` (also `kB`, `MB`, `GB`, `TB`,
 * `K`, `M`, `G`, `T`: as in PostgreSQL, all of them powers of 1024). Undefined when it is something else.
 *
 * @see PostgreSQL manual, "Parameter Names and Values": memory units
 */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:B|([KMGT])(?:i?B)?)?$/i.exec(text.trim());
  if (match?.[1] === undefined) return undefined;
  const power = match[2] === undefined ? 0 : 'KMGT'.indexOf(match[2].toUpperCase()) + 1;
  const sizeBytes = Number(match[1]) * 1024 ** power;
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : undefined;
}

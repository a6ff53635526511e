const temporaryEnding = /\.tmp\.\d{8}T\d{6}Z-[0-9a-f]{16}$/;

/**
 * A new name for the time in which a file is being written: `<path>.tmp.20260131T235959Z-<16 hex>`, as WAL-G names its own, so
 * that either program hides the other's from its listings. Whoever creates it must use `O_EXCL`: the hexadecimal part makes a
 * collision unlikely, not impossible.
 */
export function temporaryNameFor(path: string, now: Date = new Date()): string {
  const instant = now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${path}.tmp.${instant}-${randomHex()}${randomHex()}`;
}

/** Whether a name, or a path, is one that {@link temporaryNameFor} gives. */
export function isTemporaryName(name: string): boolean {
  return temporaryEnding.test(name);
}

/** 32 bits; Math.random, because loading node:crypto would cost every call some milliseconds and O_EXCL is the guard. */
function randomHex(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

/**
 * WAL-G's words for the levels of zstd, as the levels of the reference implementation that come nearest in speed and size.
 *
 * @see github.com/klauspost/compress, zstd, EncoderLevel
 */
export function parseZstdLevelWord(text: string): number {
  return wordOf(text.toLowerCase(), { fastest: 1, default: 3, better: 7, best: 11 });
}

/** Its levels of log lines. */
export function parseWalgLogLevel(text: string): 'debug' | 'info' | 'warn' | 'error' {
  return wordOf(text.toUpperCase(), { NORMAL: 'info', DEVEL: 'debug', WARNING: 'warn', ERROR: 'error' } as const);
}

/** Its WALG_DOWNLOAD_CONCURRENCY, which is the depth of its prefetch, too; 1 stands for none. */
export function parsePrefetchDepth(text: string): number {
  const depth = parseCount(text);
  return depth === 1 ? 0 : Math.min(depth, 256);
}

/** Its WALG_UPLOAD_DISK_CONCURRENCY; platforms set it to the number of processors, which may be beyond what we make use of. */
export function parseDiskConcurrency(text: string): number {
  return Math.min(parseCount(text), 64);
}

/** Its WALG_TAR_SIZE_THRESHOLD, in bytes; it takes any, and very small parts only cost requests. */
export function parseTarSizeThreshold(text: string): number {
  return Math.max(parseCount(text), 1024 * 1024);
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count === 0 || !Number.isSafeInteger(count)) throw new Error('must be a whole number, at least 1');
  return count;
}

function wordOf<Value>(text: string, words: Readonly<Record<string, Value>>): Value {
  const value = words[text];
  if (value === undefined) throw new Error(`must be one of ${Object.keys(words).join(', ')}`);
  return value;
}

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
  const depth = /^\d+$/.test(text) ? Number(text) : 0;
  if (depth === 0) throw new Error('must be a whole number, at least 1');
  return depth === 1 ? 0 : Math.min(depth, 256);
}

function wordOf<Value>(text: string, words: Readonly<Record<string, Value>>): Value {
  const value = words[text];
  if (value === undefined) throw new Error(`must be one of ${Object.keys(words).join(', ')}`);
  return value;
}

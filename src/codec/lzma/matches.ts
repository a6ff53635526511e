import { longestMatch } from './model.ts';

/** A stretch of bytes that has occurred before. */
export interface LzmaMatch {
  readonly length: number;
  /** How many bytes back it begins, less one. */
  readonly distance: number;
}

/** Finds earlier occurrences of what comes next in a stream. */
export interface MatchFinder {
  /** Adds bytes behind those that are there. */
  feed(bytes: Uint8Array): void;
  /** Bytes that have been fed and not passed yet. */
  availableBytes(): number;
  /** The byte this far behind the current position; a negative distance looks ahead. */
  byteAt(distance: number): number;
  /** How many bytes, up to 273, are equal to those at this distance. */
  lengthAt(distance: number): number;
  /** The longest earlier occurrence that was found. */
  find(): LzmaMatch | undefined;
  /** Goes on by this many bytes. */
  pass(count: number): void;
}

/** Bytes that must be equal for a match to be found. */
const hashedBytes = 4;
const hashBits = 20;

/** Candidates tried per position: more of them compress better and take longer. */
const longestSearch = 8;

/** A match of this length is taken without looking for a longer one. */
const goodLength = 96;

/** After this many times the reach, the positions, counted from the beginning of the stream, are set back to stay within 31 bits. */
const reachesUntilSetBack = 128;

/**
 * Chains of positions with the same hash, the latest first.
 *
 * @param reachBytes - a power of two of at most 8 MiB; matches are found a little less far back
 * @param aheadBytes - fed at most ahead of the current position
 */
export function createMatchFinder(reachBytes: number, aheadBytes: number): MatchFinder {
  const setBackAt = reachBytes * reachesUntilSetBack;
  const mask = reachBytes - 1;
  const window = new Uint8Array(reachBytes);
  const latest = new Int32Array(1 << hashBits).fill(-1);
  const earlier = new Int32Array(reachBytes);
  const farthest = reachBytes - aheadBytes - longestMatch;
  let at = 0;
  let end = 0;

  const hashAt = (position: number): number => {
    const first = (window[position & mask] as number) | ((window[(position + 1) & mask] as number) << 8);
    const second =
      ((window[(position + 2) & mask] as number) << 16) | ((window[(position + 3) & mask] as number) << 24);
    return Math.imul(first | second, 0x9e37_79b1) >>> (32 - hashBits);
  };

  const equalBytes = (position: number, limit: number): number => {
    let length = 0;
    while (length < limit && window[(position + length) & mask] === window[(at + length) & mask]) length += 1;
    return length;
  };

  const lengthLimit = (): number => Math.min(longestMatch, end - at);

  const setBack = (): void => {
    const by = setBackAt - reachBytes;
    for (const positions of [latest, earlier]) {
      for (const [index, position] of positions.entries()) positions[index] = Math.max(position - by, -1);
    }
    at -= by;
    end -= by;
  };

  return {
    feed(bytes) {
      if (at >= setBackAt) setBack();
      const from = end & mask;
      const fitting = bytes.subarray(0, reachBytes - from);
      window.set(fitting, from);
      window.set(bytes.subarray(fitting.length), 0);
      end += bytes.length;
    },

    availableBytes: () => end - at,
    byteAt: (distance) => window[(at - distance - 1) & mask] as number,
    lengthAt: (distance) => equalBytes(at - distance - 1, lengthLimit()),

    find() {
      const limit = lengthLimit();
      if (limit < hashedBytes) return undefined;
      let best = hashedBytes - 1;
      let bestPosition = -1;
      let position = latest[hashAt(at)] as number;
      for (let tries = 0; tries < longestSearch && position >= 0 && at - position <= farthest; tries += 1) {
        if (window[(position + best) & mask] === window[(at + best) & mask]) {
          const length = equalBytes(position, limit);
          if (length > best) {
            best = length;
            bestPosition = position;
            if (length >= goodLength || length === limit) break;
          }
        }
        position = earlier[position & mask] as number;
      }
      return bestPosition < 0 ? undefined : { length: best, distance: at - bestPosition - 1 };
    },

    pass(count) {
      for (let passed = 0; passed < count; passed += 1, at += 1) {
        if (end - at < hashedBytes) continue;
        const hash = hashAt(at);
        earlier[at & mask] = latest[hash] as number;
        latest[hash] = at;
      }
    },
  };
}

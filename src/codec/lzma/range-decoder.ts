import { IntegrityError } from '../../errors.ts';
import { adaptationShift, probabilityBits, smallestRange } from './model.ts';

/** Reads bits from the data, each by the probability at an index. Range and code are 32-bit numbers kept as signed integers. */
export interface RangeDecoder {
  /**
   * Adds input.
   *
   * @param isLast - whether nothing will follow
   */
  feed(bytes: Uint8Array, isLast: boolean): void;
  /** Whether the input suffices for any symbol; after the last input, whether it has not been overrun. */
  hasEnough(): boolean;
  /** Whether there is input that no symbol has used. */
  hasMore(): boolean;
  /** Whether the data may end here. */
  isFinished(): boolean;
  bit(index: number): number;
  /** A number of so many bits, the highest first, from the tree at this index. */
  tree(base: number, bits: number): number;
  /** The same, the lowest first. */
  reverseTree(base: number, bits: number): number;
  /** Bits with even odds. */
  directBits(count: number): number;
}

/** No symbol takes more bytes: the longest is a match with 26 direct bits. */
const longestSymbolBytes = 32;

/** The data begins with a zero and the first code. */
const startBytes = 5;

/** Turns the order of signed integers into that of unsigned ones. */
const signBit = 0x8000_0000 | 0;

export function createRangeDecoder(probabilities: Uint16Array): RangeDecoder {
  let input: Uint8Array = new Uint8Array();
  let at = 0;
  let inputBytes = 0;
  let isLastInput = false;
  let hasStarted = false;
  let range = -1;
  let code = 0;

  const nextByte = (): void => {
    range <<= 8;
    code = (code << 8) | (input[at] as number);
    at += 1;
  };

  const start = (): void => {
    if (input[0] !== 0) throw new IntegrityError('lzma data is damaged');
    for (let index = 1; index < startBytes; index += 1) code = (code << 8) | (input[index] as number);
    at = startBytes;
    hasStarted = true;
  };

  const bit = (index: number): number => {
    const probability = probabilities[index] as number;
    const bound = Math.imul(range >>> probabilityBits, probability);
    let result = 0;
    if ((code ^ signBit) < (bound ^ signBit)) {
      range = bound;
      probabilities[index] = probability + (((1 << probabilityBits) - probability) >> adaptationShift);
    } else {
      range = (range - bound) | 0;
      code = (code - bound) | 0;
      probabilities[index] = probability - (probability >> adaptationShift);
      result = 1;
    }
    if (range >>> 0 < smallestRange) nextByte();
    return result;
  };

  return {
    feed(bytes, isLast) {
      // Room behind the input lets a symbol run over the end; whether it did is asked afterwards.
      const next = Buffer.alloc(inputBytes - at + bytes.length + longestSymbolBytes);
      next.set(input.subarray(at, inputBytes));
      next.set(bytes, inputBytes - at);
      inputBytes = next.length - longestSymbolBytes;
      input = next;
      at = 0;
      isLastInput = isLast;
      if (!hasStarted && inputBytes >= startBytes) start();
    },

    hasEnough() {
      if (!isLastInput) return hasStarted && inputBytes - at >= longestSymbolBytes;
      if (!hasStarted || at > inputBytes) throw new IntegrityError('lzma data is truncated');
      return true;
    },

    hasMore: () => at < inputBytes,
    isFinished: () => code === 0 && at <= inputBytes,
    bit,

    tree(base, bits) {
      let node = 1;
      for (let count = 0; count < bits; count += 1) node = (node << 1) | bit(base + node);
      return node - (1 << bits);
    },

    reverseTree(base, bits) {
      let node = 1;
      let result = 0;
      for (let count = 0; count < bits; count += 1) {
        const next = bit(base + node);
        node = (node << 1) | next;
        result |= next << count;
      }
      return result;
    },

    directBits(count) {
      let result = 0;
      for (let done = 0; done < count; done += 1) {
        range >>>= 1;
        code = (code - range) | 0;
        const isZero = code >>> 31;
        if (isZero === 1) code = (code + range) | 0;
        result = (result << 1) | (1 - isZero);
        if (range >>> 0 < smallestRange) nextByte();
      }
      return result;
    },
  };
}

import { adaptationShift, probabilityBits, smallestRange } from './model.ts';

/** Writes bits, each by the probability at an index: the counterpart of {@link RangeDecoder}, name by name. */
export interface RangeEncoder {
  bit(index: number, value: number): void;
  tree(base: number, bits: number, value: number): void;
  reverseTree(base: number, bits: number, value: number): void;
  directBits(count: number, value: number): void;
  /** Writes what is still held back. Nothing may follow. */
  finish(): void;
  /** The bytes written since the last call. */
  take(): Uint8Array;
}

/** Bytes that finish the data, so that the decoder's five bytes of code are complete. */
const endBytes = 5;

export function createRangeEncoder(probabilities: Uint16Array): RangeEncoder {
  let output = Buffer.allocUnsafeSlow(128 * 1024);
  let sizeBytes = 0;
  /** Below 2^33: a carry may still run into the bytes held back, of which the first is `held` and the others are 0xff. */
  let low = 0;
  let range = 0xffff_ffff;
  let held = 0;
  let heldBytes = 1;

  const put = (byte: number): void => {
    if (sizeBytes === output.length) output = Buffer.concat([output, Buffer.allocUnsafeSlow(output.length)]);
    output[sizeBytes] = byte;
    sizeBytes += 1;
  };

  const shift = (): void => {
    const carry = low > 0xffff_ffff ? 1 : 0;
    if (low < 0xff00_0000 || carry === 1) {
      put((held + carry) & 0xff);
      for (; heldBytes > 1; heldBytes -= 1) put((0xff + carry) & 0xff);
      held = (low >>> 24) & 0xff;
    } else {
      heldBytes += 1;
    }
    low = (low & 0x00ff_ffff) * 256;
  };

  const narrow = (): void => {
    while (range < smallestRange) {
      range = (range << 8) >>> 0;
      shift();
    }
  };

  const bit = (index: number, value: number): void => {
    const probability = probabilities[index] as number;
    const bound = (range >>> probabilityBits) * probability;
    if (value === 0) {
      range = bound;
      probabilities[index] = probability + (((1 << probabilityBits) - probability) >> adaptationShift);
    } else {
      low += bound;
      range -= bound;
      probabilities[index] = probability - (probability >> adaptationShift);
    }
    narrow();
  };

  return {
    bit,

    tree(base, bits, value) {
      let node = 1;
      for (let rest = bits - 1; rest >= 0; rest -= 1) {
        const next = (value >>> rest) & 1;
        bit(base + node, next);
        node = (node << 1) | next;
      }
    },

    reverseTree(base, bits, value) {
      let node = 1;
      for (let done = 0; done < bits; done += 1) {
        const next = (value >>> done) & 1;
        bit(base + node, next);
        node = (node << 1) | next;
      }
    },

    directBits(count, value) {
      for (let rest = count - 1; rest >= 0; rest -= 1) {
        range >>>= 1;
        if (((value >>> rest) & 1) === 1) low += range;
        narrow();
      }
    },

    finish() {
      for (let count = 0; count < endBytes; count += 1) shift();
    },

    take() {
      const taken = Buffer.from(output.subarray(0, sizeBytes));
      sizeBytes = 0;
      return taken;
    },
  };
}

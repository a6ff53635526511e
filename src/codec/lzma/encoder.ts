import type { LzmaHeader } from './header.ts';
import { createMatchFinder, type LzmaMatch } from './matches.ts';
import * as model from './model.ts';
import { createRangeEncoder } from './range-encoder.ts';

/** Turns plain bytes into the data after the header. */
export interface LzmaEncoder {
  /** What these bytes, at most {@link largestFeedBytes}, add to the data. */
  encode(bytes: Uint8Array): Uint8Array;
  /** The rest of the data, and the end mark. */
  finish(): Uint8Array;
}

export const largestFeedBytes: number = 64 * 1024;

/**
 * Matches are looked for no farther back, whatever the dictionary allows. The search takes the nearest few candidates only, so that with
 * a farther reach WAL got larger, not smaller, and took longer; and each byte costs five of memory, for every stream under way.
 */
const reachBytes = 1024 * 1024;

/** The distance that marks the end. */
const endMark = 0xffff_ffff;

/** Instead of a match of at most this length farther away than that, literals are cheaper. */
const shortLength = 4;
const shortReachBytes = 128 * 1024;

/**
 * Takes the longest match that a short search finds, prefers the distances used last, and looks no further ahead: a quarter larger
 * than what `xz -6` makes of WAL and of heap files, smaller than zstd at level 3.
 *
 * @param header - its dictionary a power of two
 */
export function createLzmaEncoder(header: LzmaHeader): LzmaEncoder {
  const { literalContextBits, literalPositionBits } = header;
  const positionMask = (1 << header.positionBits) - 1;
  const literalPositionMask = (1 << literalPositionBits) - 1;
  const coder = createRangeEncoder(model.createProbabilities(literalContextBits + literalPositionBits));
  const matches = createMatchFinder(
    Math.min(reachBytes, header.dictionaryBytes),
    largestFeedBytes + model.longestMatch,
  );

  let totalBytes = 0;
  let state = 0;
  /** The last four distances, less one, the latest first. */
  let repeats: readonly number[] = [0, 0, 0, 0];

  const writeLiteral = (): void => {
    const symbol = matches.byteAt(-1) | 0x100;
    const before = totalBytes === 0 ? 0 : matches.byteAt(0);
    const context = ((totalBytes & literalPositionMask) << literalContextBits) + (before >>> (8 - literalContextBits));
    const base = model.literals + model.literalSize * context;
    coder.bit(model.isMatch + state * 16 + (totalBytes & positionMask), 0);
    // After a match, the byte that would have continued it is a hint, for as long as it holds.
    const matched = matches.byteAt(repeats[0] as number);
    let isHinted = state >= model.firstStateAfterMatch;
    for (let rest = 7; rest >= 0; rest -= 1) {
      const next = (symbol >>> rest) & 1;
      const matchedBit = (matched >>> rest) & 1;
      coder.bit(base + (isHinted ? (1 + matchedBit) << 8 : 0) + (symbol >>> (rest + 1)), next);
      isHinted &&= next === matchedBit;
    }
    state = model.stateAfterLiteral(state);
    pass(1);
  };

  const pass = (length: number): void => {
    matches.pass(length);
    totalBytes += length;
  };

  const writeLength = (base: number, positionState: number, length: number): void => {
    const rest = length - model.shortestMatch;
    coder.bit(base, rest < 8 ? 0 : 1);
    if (rest < 8) {
      coder.tree(base + model.lowLengths + positionState * 8, 3, rest);
      return;
    }
    coder.bit(base + 1, rest < 16 ? 0 : 1);
    if (rest < 16) coder.tree(base + model.middleLengths + positionState * 8, 3, rest - 8);
    else coder.tree(base + model.highLengths, 8, rest - 16);
  };

  const writeDistance = (distance: number, length: number): void => {
    const highestBit = 31 - Math.clz32(distance);
    const slot = distance < 4 ? distance : (highestBit << 1) | ((distance >>> (highestBit - 1)) & 1);
    coder.tree(model.distanceSlotSet(length), model.distanceSlotBits, slot);
    if (slot < 4) return;
    const lowBits = (slot >>> 1) - 1;
    const slotBase = (2 | (slot & 1)) << lowBits;
    if (slot < model.firstDirectSlot) {
      coder.reverseTree(model.distanceLowBits + slotBase - slot, lowBits, distance - slotBase);
      return;
    }
    coder.directBits(
      lowBits - model.alignBits,
      (distance >>> model.alignBits) & ((1 << (lowBits - model.alignBits)) - 1),
    );
    coder.reverseTree(model.distanceAlign, model.alignBits, distance & ((1 << model.alignBits) - 1));
  };

  const writeMatch = ({ distance, length }: LzmaMatch): void => {
    const positionState = totalBytes & positionMask;
    coder.bit(model.isMatch + state * 16 + positionState, 1);
    coder.bit(model.isRepeat + state, 0);
    writeLength(model.matchLengths, positionState, length);
    writeDistance(distance, length);
    state = model.stateAfterMatch(state);
    repeats = [distance, ...repeats.slice(0, 3)];
  };

  const writeRepeat = (index: number, length: number): void => {
    const positionState = totalBytes & positionMask;
    coder.bit(model.isMatch + state * 16 + positionState, 1);
    coder.bit(model.isRepeat + state, 1);
    coder.bit(model.isRepeat0 + state, index === 0 ? 0 : 1);
    if (index === 0) {
      coder.bit(model.isLongRepeat0 + state * 16 + positionState, length === 1 ? 0 : 1);
    } else {
      coder.bit(model.isRepeat1 + state, index === 1 ? 0 : 1);
      if (index > 1) coder.bit(model.isRepeat2 + state, index === 2 ? 0 : 1);
      repeats = [repeats[index] as number, ...repeats.filter((_, other) => other !== index)];
    }
    if (length > 1) writeLength(model.repeatLengths, positionState, length);
    state = length === 1 ? model.stateAfterShortRepeat(state) : model.stateAfterRepeat(state);
  };

  /** The longest match at one of the distances used last. */
  const findRepeat = (): { readonly index: number; readonly length: number } => {
    let best = { index: 0, length: 0 };
    for (const [index, distance] of repeats.entries()) {
      if (distance >= totalBytes) continue;
      const length = matches.lengthAt(distance);
      if (length > best.length) best = { index, length };
    }
    return best;
  };

  const writeNext = (): void => {
    const repeat = findRepeat();
    const found = repeat.length === model.longestMatch ? undefined : matches.find();
    const match = found && (found.length > shortLength || found.distance < shortReachBytes) ? found : undefined;
    // A distance that is remembered costs so little that it may be shorter by one.
    if (repeat.length >= model.shortestMatch && repeat.length + 1 >= (match?.length ?? 0)) {
      writeRepeat(repeat.index, repeat.length);
      pass(repeat.length);
    } else if (match !== undefined) {
      writeMatch(match);
      pass(match.length);
    } else if (repeat.length === 1 && repeat.index === 0) {
      writeRepeat(0, 1);
      pass(1);
    } else {
      writeLiteral();
    }
  };

  return {
    encode(bytes) {
      matches.feed(bytes);
      while (matches.availableBytes() > model.longestMatch) writeNext();
      return coder.take();
    },

    finish() {
      while (matches.availableBytes() > 0) writeNext();
      writeMatch({ distance: endMark, length: model.shortestMatch });
      coder.finish();
      return coder.take();
    },
  };
}

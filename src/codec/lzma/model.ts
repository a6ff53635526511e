/**
 * What LZMA's encoder and decoder have in common: the probabilities of the bits of every kind of symbol, side by side in one array,
 * and the states that choose among them.
 *
 * @see lzma-specification.txt of the LZMA SDK (public domain)
 */

/** Probabilities have 11 bits; each bit coded moves its own by 1/32 of what is left. */
export const probabilityBits = 11;
export const adaptationShift = 5;

/** The range coder shifts a byte when its range falls below this. */
export const smallestRange: number = 2 ** 24;

/** States 0 to 6 follow a literal, the others a match. */
const stateCount = 12;
export const firstStateAfterMatch = 7;
const positionStates = 16;

/** Lengths of matches, and how many distances are remembered. */
export const shortestMatch = 2;
export const longestMatch = 273;

/** Where the probabilities of each kind begin. */
export const isMatch = 0;
export const isRepeat: number = isMatch + stateCount * positionStates;
export const isRepeat0: number = isRepeat + stateCount;
export const isRepeat1: number = isRepeat0 + stateCount;
export const isRepeat2: number = isRepeat1 + stateCount;
export const isLongRepeat0: number = isRepeat2 + stateCount;
const distanceSlots: number = isLongRepeat0 + stateCount * positionStates;
export const distanceSlotBits = 6;
const distanceSlotSets = 4;
/** Lower bits of distances of slots 4 to 13; a slot's begin at its base less the slot. */
export const distanceLowBits: number = distanceSlots + (distanceSlotSets << distanceSlotBits);
/** From this slot on, all but the lowest four bits are coded with even odds. */
export const firstDirectSlot = 14;
export const alignBits = 4;
export const distanceAlign: number = distanceLowBits + 128;
export const matchLengths: number = distanceAlign + (1 << alignBits);
export const repeatLengths: number = matchLengths + 2 + 2 * positionStates * 8 + 256;
export const literals: number = repeatLengths + 2 + 2 * positionStates * 8 + 256;

/** Within the probabilities of lengths: two choices, then trees of 8, 8 and 256 lengths, the first two for each position state. */
export const lowLengths = 2;
export const middleLengths: number = lowLengths + positionStates * 8;
export const highLengths: number = middleLengths + positionStates * 8;

/** Probabilities of one literal: one tree, and two for literals after a match. */
export const literalSize = 0x300;

/** @param literalContextBits - those of the position and those of the byte before, together */
export function createProbabilities(literalContextBits: number): Uint16Array {
  return new Uint16Array(literals + (literalSize << literalContextBits)).fill(1 << (probabilityBits - 1));
}

/** Matches of these lengths, less the shortest, have slots of their own; longer ones share the last. */
export function distanceSlotSet(length: number): number {
  return distanceSlots + (Math.min(length - shortestMatch, distanceSlotSets - 1) << distanceSlotBits);
}

export function stateAfterLiteral(state: number): number {
  if (state < 4) return 0;
  return state < 10 ? state - 3 : state - 6;
}

export function stateAfterMatch(state: number): number {
  return state < firstStateAfterMatch ? 7 : 10;
}

export function stateAfterRepeat(state: number): number {
  return state < firstStateAfterMatch ? 8 : 11;
}

export function stateAfterShortRepeat(state: number): number {
  return state < firstStateAfterMatch ? 9 : 11;
}

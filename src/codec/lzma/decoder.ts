import { IntegrityError } from '../../errors.ts';
import type { LzmaHeader } from './header.ts';
import * as model from './model.ts';
import { createRangeDecoder } from './range-decoder.ts';

/** Turns the data after the header into plain bytes. It works only as far as its pieces are taken. */
export interface LzmaDecoder {
  /**
   * What these bytes add to the plain ones, in pieces of about 64 KiB.
   *
   * @param isLast - whether the data ends with them
   * @throws {@link IntegrityError} when the data is damaged, truncated or followed by something else
   */
  decode(bytes: Uint8Array, isLast: boolean): Generator<Uint8Array, void, undefined>;
}

const pieceSizeBytes = 64 * 1024;

/** Decoders must stand a dictionary size of 0 in the header. */
const smallestDictionaryBytes = 4096;

/** The distance that marks the end. */
const endMark = -1;

export function createLzmaDecoder(header: LzmaHeader): LzmaDecoder {
  const { literalContextBits, literalPositionBits } = header;
  const dictionaryBytes = Math.max(header.dictionaryBytes, smallestDictionaryBytes);
  const plainSizeBytes = Number(header.plainSizeBytes ?? Number.POSITIVE_INFINITY);
  const positionMask = (1 << header.positionBits) - 1;
  const literalPositionMask = (1 << literalPositionBits) - 1;
  const coder = createRangeDecoder(model.createProbabilities(literalContextBits + literalPositionBits));
  const { bit, tree } = coder;

  /** The last plain bytes, round and round: the dictionary, a piece, and a match more than that. */
  const window = new Uint8Array(dictionaryBytes + pieceSizeBytes + model.longestMatch);
  let head = 0;
  let totalBytes = 0;
  let givenBytes = 0;
  let hasEnded = false;

  let state = 0;
  /** The last four distances, less one. */
  let repeat0 = 0;
  let repeat1 = 0;
  let repeat2 = 0;
  let repeat3 = 0;

  const put = (byte: number): void => {
    window[head] = byte;
    head = head + 1 === window.length ? 0 : head + 1;
    totalBytes += 1;
  };

  const byteAt = (distance: number): number => {
    const index = head - distance - 1;
    return window[index < 0 ? index + window.length : index] as number;
  };

  const decodeLiteral = (): void => {
    const before = totalBytes === 0 ? 0 : byteAt(0);
    const context = ((totalBytes & literalPositionMask) << literalContextBits) + (before >>> (8 - literalContextBits));
    const base = model.literals + model.literalSize * context;
    let symbol = 1;
    if (state >= model.firstStateAfterMatch) {
      // After a match, the byte that would have continued it is a hint, for as long as it holds.
      let matched = byteAt(repeat0);
      while (symbol < 0x100) {
        const matchedBit = (matched >>> 7) & 1;
        matched <<= 1;
        const next = bit(base + ((1 + matchedBit) << 8) + symbol);
        symbol = (symbol << 1) | next;
        if (next !== matchedBit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | bit(base + symbol);
    put(symbol & 0xff);
    state = model.stateAfterLiteral(state);
  };

  const decodeLength = (base: number, positionState: number): number => {
    if (bit(base) === 0) return model.shortestMatch + tree(base + model.lowLengths + positionState * 8, 3);
    if (bit(base + 1) === 0) return model.shortestMatch + 8 + tree(base + model.middleLengths + positionState * 8, 3);
    return model.shortestMatch + 16 + tree(base + model.highLengths, 8);
  };

  const decodeDistance = (length: number): number => {
    const slot = tree(model.distanceSlotSet(length), model.distanceSlotBits);
    if (slot < 4) return slot;
    const lowBits = (slot >>> 1) - 1;
    const distance = (2 | (slot & 1)) << lowBits;
    if (slot < model.firstDirectSlot) {
      return distance + coder.reverseTree(model.distanceLowBits + distance - slot, lowBits);
    }
    const middle = coder.directBits(lowBits - model.alignBits) << model.alignBits;
    return (distance + middle + coder.reverseTree(model.distanceAlign, model.alignBits)) | 0;
  };

  /** Puts the distance that the repeated match uses first; says whether the match is just one byte. */
  const decodeRepeat = (positionState: number): boolean => {
    if (bit(model.isRepeat0 + state) === 0) return bit(model.isLongRepeat0 + state * 16 + positionState) === 0;
    let distance = repeat1;
    if (bit(model.isRepeat1 + state) === 1) {
      distance = repeat2;
      if (bit(model.isRepeat2 + state) === 1) {
        distance = repeat3;
        repeat3 = repeat2;
      }
      repeat2 = repeat1;
    }
    repeat1 = repeat0;
    repeat0 = distance;
    return false;
  };

  const copyMatch = (length: number): void => {
    const reachBytes = Math.min(totalBytes, dictionaryBytes);
    if (repeat0 >>> 0 >= reachBytes || totalBytes + length > plainSizeBytes) throw damaged();
    for (let copied = 0; copied < length; copied += 1) put(byteAt(repeat0));
  };

  const decodeMatch = (positionState: number): void => {
    if (bit(model.isRepeat + state) === 1) {
      if (totalBytes === 0) throw damaged();
      if (decodeRepeat(positionState)) {
        state = model.stateAfterShortRepeat(state);
        copyMatch(1);
        return;
      }
      const length = decodeLength(model.repeatLengths, positionState);
      state = model.stateAfterRepeat(state);
      copyMatch(length);
      return;
    }
    repeat3 = repeat2;
    repeat2 = repeat1;
    repeat1 = repeat0;
    const length = decodeLength(model.matchLengths, positionState);
    state = model.stateAfterMatch(state);
    repeat0 = decodeDistance(length);
    if (repeat0 === endMark) hasEnded = true;
    else copyMatch(length);
  };

  /** Decodes until a piece is full, the input may not suffice for one symbol more, or the end is reached. */
  const decodeSymbols = (): void => {
    while (!hasEnded && totalBytes - givenBytes < pieceSizeBytes && coder.hasEnough()) {
      if (totalBytes === plainSizeBytes && coder.isFinished()) {
        hasEnded = true;
        return;
      }
      const positionState = totalBytes & positionMask;
      if (bit(model.isMatch + state * 16 + positionState) === 1) decodeMatch(positionState);
      else if (totalBytes < plainSizeBytes) decodeLiteral();
      else throw damaged();
    }
    const hasRightSize = header.plainSizeBytes === undefined || totalBytes === plainSizeBytes;
    if (hasEnded && !(hasRightSize && coder.isFinished())) throw damaged();
  };

  const takePiece = (): Uint8Array => {
    const sizeBytes = totalBytes - givenBytes;
    const piece = Buffer.allocUnsafeSlow(sizeBytes);
    const from = head - sizeBytes;
    if (from < 0) piece.set(window.subarray(from + window.length));
    piece.set(window.subarray(Math.max(from, 0), head), Math.max(-from, 0));
    givenBytes = totalBytes;
    return piece;
  };

  return {
    *decode(bytes, isLast) {
      coder.feed(bytes, isLast);
      for (;;) {
        decodeSymbols();
        if (totalBytes === givenBytes) break;
        yield takePiece();
      }
      if (hasEnded && coder.hasMore()) throw new IntegrityError('lzma data is followed by something else');
      if (isLast && !hasEnded) throw new IntegrityError('lzma data is truncated');
    },
  };
}

function damaged(): IntegrityError {
  return new IntegrityError('lzma data is damaged');
}

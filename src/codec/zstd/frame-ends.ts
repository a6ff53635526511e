/**
 * Passes a zstd stream on unchanged, but in chunks of which none reaches across the end of a frame.
 *
 * node:zlib's decoder needs that: when a chunk holds the end of one frame and the beginning of the next, it reports the end of the
 * stream after the first and drops the rest without an error. The walk reads only the headers, of frames and of blocks; whatever it
 * does not understand it passes on, for the decoder to refuse.
 *
 * @see RFC 8878, sections 3.1.1 (frames), 3.1.1.2 (blocks), 3.1.2 (skippable frames)
 */
export async function* cutAtFrameEnds(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const walk = createFrameWalk();
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      const lengthBytes = walk(chunk.subarray(offset));
      yield chunk.subarray(offset, offset + lengthBytes);
      offset += lengthBytes;
    }
  }
}

const frameMagic = 0xfd2f_b528;
const skippableMagic = 0x184d_2a50;
const skippableMask = 0xffff_fff0;
const checksumSizeBytes = 4;
const blockHeaderSizeBytes = 3;
/** Block types: raw 0, run of one byte 1, compressed 2. */
const runBlock = 1;

/** What the next header bytes mean. `skippable-size` and `frame-descriptor` follow a magic number. */
type Expected = 'magic' | 'skippable-size' | 'frame-descriptor' | 'block-header' | 'frame-end' | 'unknown';

/**
 * Gives a function that takes the bytes that follow and says how many of them belong to the current frame: all, or as many as there
 * are up to its end.
 */
function createFrameWalk(): (bytes: Uint8Array) => number {
  let expected: Expected = 'magic';
  let hasChecksum = false;
  /** Bytes to pass over before the next header. */
  let skipBytes = 0;
  let header = 0;
  let headerBytes = 0;

  const take = (): void => {
    const value = header >>> 0;
    if (expected === 'magic') {
      if (value === frameMagic) expected = 'frame-descriptor';
      else expected = (value & skippableMask) >>> 0 === skippableMagic ? 'skippable-size' : 'unknown';
    } else if (expected === 'skippable-size') {
      skipBytes = value;
      expected = 'frame-end';
    } else if (expected === 'frame-descriptor') {
      skipBytes = restOfFrameHeaderBytes(value);
      hasChecksum = (value & 0b100) !== 0;
      expected = 'block-header';
    } else {
      const isLast = (value & 1) === 1;
      skipBytes = ((value >>> 1) & 0b11) === runBlock ? 1 : value >>> 3;
      if (isLast) {
        if (hasChecksum) skipBytes += checksumSizeBytes;
        expected = 'frame-end';
      }
    }
  };

  return (bytes) => {
    let offset = 0;
    while (expected !== 'unknown') {
      const skipped = Math.min(skipBytes, bytes.length - offset);
      skipBytes -= skipped;
      offset += skipped;
      if (skipBytes === 0 && expected === 'frame-end') {
        expected = 'magic';
        return offset;
      }
      const next = bytes[offset];
      if (next === undefined) break;
      header |= next << (8 * headerBytes);
      headerBytes += 1;
      offset += 1;
      if (headerBytes === headerSizeBytes(expected)) {
        take();
        header = 0;
        headerBytes = 0;
      }
    }
    return bytes.length;
  };
}

function headerSizeBytes(expected: Expected): number {
  if (expected === 'frame-descriptor') return 1;
  return expected === 'block-header' ? blockHeaderSizeBytes : 4;
}

/** Size of what the descriptor announces: the window, the dictionary id and the content size. */
function restOfFrameHeaderBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const windowSizeBytes = isSingleSegment ? 0 : 1;
  const dictionaryIdFlag = descriptor & 0b11;
  const dictionaryIdSizeBytes = dictionaryIdFlag === 3 ? 4 : dictionaryIdFlag;
  const contentSizeFlag = descriptor >>> 6;
  const contentSizeBytes = contentSizeFlag === 0 ? Number(isSingleSegment) : 2 ** contentSizeFlag;
  return windowSizeBytes + dictionaryIdSizeBytes + contentSizeBytes;
}

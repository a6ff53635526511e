/**
 * Copies a stream into blocks of exactly this size, the last one shorter; an empty stream has no block.
 *
 * @param allocate - gives the buffer for one more block, of the size of a block or larger; a caller that is done with a block may
 *   hand it out again
 */
export async function* inBlocks(
  source: AsyncIterable<Uint8Array>,
  blockSizeBytes: number,
  allocate: () => Uint8Array<ArrayBuffer> = () => Buffer.allocUnsafeSlow(blockSizeBytes),
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let block: Uint8Array<ArrayBuffer> | undefined;
  let filledBytes = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      block ??= allocate();
      const piece = chunk.subarray(offset, offset + blockSizeBytes - filledBytes);
      block.set(piece, filledBytes);
      filledBytes += piece.length;
      offset += piece.length;
      if (filledBytes < blockSizeBytes) continue;
      yield block;
      block = undefined;
      filledBytes = 0;
    }
  }
  if (block !== undefined) yield block.subarray(0, filledBytes);
}

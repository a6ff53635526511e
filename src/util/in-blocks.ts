/**
 * Cuts a stream into blocks of exactly this size, the last one shorter; an empty stream has no block. A block that lies within one
 * chunk is a view of it, not a copy.
 */
export async function* inBlocks(
  source: AsyncIterable<Uint8Array>,
  blockSizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let block: Uint8Array | undefined;
  let filledBytes = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      if (filledBytes === 0 && chunk.length - offset >= blockSizeBytes) {
        yield chunk.subarray(offset, offset + blockSizeBytes);
        offset += blockSizeBytes;
        continue;
      }
      block ??= Buffer.allocUnsafeSlow(blockSizeBytes);
      const piece = chunk.subarray(offset, offset + blockSizeBytes - filledBytes);
      block.set(piece, filledBytes);
      filledBytes += piece.length;
      offset += piece.length;
      if (filledBytes === blockSizeBytes) {
        yield block;
        block = undefined;
        filledBytes = 0;
      }
    }
  }
  if (block !== undefined) yield block.subarray(0, filledBytes);
}

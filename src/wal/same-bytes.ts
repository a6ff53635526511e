import { inBlocks } from '../util/in-blocks.ts';

const blockSizeBytes = 256 * 1024;

/** No segment is larger. */
const mostBytes = 1024 * 1024 * 1024;

/**
 * Whether a stored WAL file has the bytes of another one. The stored one is read to its end whatever the answer, so that damage to
 * it shows as its own error instead of passing for other bytes; but not further than any WAL file goes.
 *
 * @throws what either of the streams throws
 */
export async function haveSameBytes(
  stored: AsyncIterable<Uint8Array>,
  other: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const otherBlocks = inBlocks(other, blockSizeBytes);
  let isSame = true;
  let sizeBytes = 0;
  try {
    for await (const block of inBlocks(stored, blockSizeBytes)) {
      sizeBytes += block.length;
      if (sizeBytes > mostBytes) return false;
      if (!isSame) continue;
      const otherBlock = await otherBlocks.next();
      isSame = otherBlock.done !== true && Buffer.compare(block, otherBlock.value) === 0;
    }
    return isSame && (await otherBlocks.next()).done === true;
  } finally {
    await otherBlocks.return();
  }
}

import { inBlocks } from '../util/in-blocks.ts';

const blockSizeBytes = 256 * 1024;

/**
 * Whether a stored file has the bytes of another one. The stored one is read to its end whatever the answer, so that damage to
 * it shows as its own error instead of passing for other bytes.
 *
 * @throws what either of the streams throws
 */
export async function haveSameBytes(
  stored: AsyncIterable<Uint8Array>,
  other: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const otherBlocks = inBlocks(other, blockSizeBytes);
  let isSame = true;
  try {
    for await (const block of inBlocks(stored, blockSizeBytes)) {
      if (!isSame) continue;
      const otherBlock = await otherBlocks.next();
      isSame = otherBlock.done !== true && Buffer.compare(block, otherBlock.value) === 0;
    }
    return isSame && (await otherBlocks.next()).done === true;
  } finally {
    await otherBlocks.return();
  }
}

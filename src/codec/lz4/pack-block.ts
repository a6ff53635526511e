/** Set in a block's size when its bytes are stored as they are. */
export const storedPlainFlag = 0x8000_0000;

/** Of the size ahead of each block. */
export const sizeFieldBytes = 4;

/**
 * The block with its size ahead, as a frame holds it: compressed, or as it is where that is not larger. It has memory of its own.
 *
 * @param compressSync - of `lz4-napi`, which puts the plain size ahead of its blocks, in the very four bytes where a frame has the stored
 *   size
 */
export function packBlock(plain: Uint8Array, compressSync: (plain: Buffer) => Buffer): Buffer<ArrayBuffer> {
  const packed = keep(compressSync(Buffer.from(plain.buffer, plain.byteOffset, plain.length)));
  const storedSizeBytes = packed.length - sizeFieldBytes;
  if (storedSizeBytes < plain.length) {
    packed.writeUInt32LE(storedSizeBytes);
    return packed;
  }
  const block = Buffer.allocUnsafeSlow(sizeFieldBytes + plain.length);
  block.writeUInt32LE((plain.length | storedPlainFlag) >>> 0);
  block.set(plain, sizeFieldBytes);
  return block;
}

/** A copy in memory of ours; the package's own, of which the garbage collector knows nothing, is released at once. */
export function keep(bytes: Buffer): Buffer<ArrayBuffer> {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  (bytes.buffer as ArrayBuffer).transfer(0);
  return copy;
}

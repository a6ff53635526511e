/** The bytes as a stream in chunks of at most these lengths, which are used round and round. */
export async function* inChunks(bytes: Uint8Array, ...lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? bytes.length;
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}

/** All bytes of a stream. */
export async function joined(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

/** Bytes that compress about as well as WAL does, the same ones for the same seed. */
export function walLikeBytes(sizeBytes: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = seed;
  for (let offset = 0; offset < sizeBytes; offset += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Half of each 64 bytes is noise, half a header that repeats.
    bytes[offset] = offset % 64 < 32 ? state >>> 24 : offset % 64;
  }
  return bytes;
}

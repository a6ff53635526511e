/**
 * The same bytes in larger pieces: chunks below the size are put together until they reach it, others pass as they are, so that large
 * ones are never copied. The last piece may be smaller.
 */
export async function* gather(
  source: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const chunk of source) {
    begun.push(chunk);
    begunBytes += chunk.byteLength;
    if (begunBytes < sizeBytes) continue;
    yield joined(begun);
    begun = [];
    begunBytes = 0;
  }
  if (begunBytes > 0) yield joined(begun);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

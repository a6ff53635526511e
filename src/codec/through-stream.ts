import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * What a transform stream makes of the source. Whoever fails, that very error is thrown here; when the consumer stops early, the
 * stream is destroyed and the source closed before this returns.
 */
export async function* throughStream(
  source: AsyncIterable<Uint8Array>,
  stream: Duplex,
): AsyncGenerator<Uint8Array, void, undefined> {
  // A failure destroys the stream with that error, so it reaches the reader below; this promise only tells when all is over.
  const fed = pipeline(source, stream).catch(() => undefined);
  try {
    yield* stream;
  } finally {
    stream.destroy();
    await fed;
  }
}

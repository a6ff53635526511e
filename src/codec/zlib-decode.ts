import type { BrotliDecompress, Gunzip, Inflate, InflateRaw } from 'node:zlib';
import { IntegrityError } from '../errors.ts';
import { throughStream } from './through-stream.ts';
import { orDamaged, trackSource } from './tracked-source.ts';

/** Bytes per round trip to the thread pool and back; with Node's default of 16 KiB the trips cost more than the work. */
export const zlibChunkSizeBytes: number = 1024 * 1024;

/**
 * Decodes with one of node:zlib's decoders, and refuses what these let pass: other data after the end.
 *
 * @param name - of the format, for messages
 */
export async function* zlibDecode(
  name: string,
  source: AsyncIterable<Uint8Array>,
  createDecoder: () => BrotliDecompress | Gunzip | Inflate | InflateRaw,
): AsyncGenerator<Uint8Array, void, undefined> {
  const decoder = createDecoder();
  const tracked = trackSource(source);
  yield* orDamaged(throughStream(tracked, decoder), tracked, `${name} data is damaged or truncated`);
  if (tracked.sizeBytes > decoder.bytesWritten) throw new IntegrityError(`${name} data is followed by something else`);
}

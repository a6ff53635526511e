import { IntegrityError, SeawallError } from '../errors.ts';

/** A source that knows how much has been read from it and how it failed; for libraries that put failures in words of their own. */
export interface TrackedSource extends AsyncIterable<Uint8Array> {
  /** Bytes handed out up to now. */
  readonly sizeBytes: number;
  /** What the source threw; undefined unless it did. */
  readonly failure: { readonly error: unknown } | undefined;
}

export function trackSource(source: AsyncIterable<Uint8Array>): TrackedSource {
  let sizeBytes = 0;
  let failure: { readonly error: unknown } | undefined;
  return {
    get sizeBytes() {
      return sizeBytes;
    },
    get failure() {
      return failure;
    },
    async *[Symbol.asyncIterator]() {
      try {
        for await (const chunk of source) {
          sizeBytes += chunk.length;
          yield chunk;
        }
      } catch (error) {
        failure = { error };
        throw error;
      }
    },
  };
}

/**
 * What a library made of the source. When that fails, the source's own error is thrown if it was the source that failed; whatever else
 * is not one of our errors becomes an {@link IntegrityError} of this message.
 */
export async function* orDamaged(
  output: AsyncIterable<Uint8Array>,
  source: TrackedSource,
  message: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* output;
  } catch (error) {
    if (source.failure !== undefined) throw source.failure.error;
    throw error instanceof SeawallError ? error : new IntegrityError(message, { cause: error });
  }
}

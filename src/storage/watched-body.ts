import type { Body } from './object-store.ts';

/** A body that remembers what it threw, so that its failures are never taken for those of the store. */
export interface WatchedBody {
  readonly body: Body;
  /** Whether this very error came out of the body. */
  threw(error: unknown): boolean;
}

/** Wraps a body for one `put`. Reading the source and sending it fail alike (`ENOENT`, a reset); only the place tells them apart. */
export function watchBody(body: Body): WatchedBody {
  if (body instanceof Uint8Array) return { body, threw: () => false };
  let failure: { readonly error: unknown } | undefined;
  async function* watch(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* open();
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  return { body: () => watch(body), threw: (error) => failure !== undefined && failure.error === error };
}

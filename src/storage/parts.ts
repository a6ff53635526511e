import pMap from 'p-map';
import { abortable } from '../util/abortable.ts';
import type { Body } from './object-store.ts';

/** Sizes by which a body is cut for an upload. */
export interface CutSizes {
  /** A body up to this size is sent whole. */
  readonly wholeBytes: number;
  /** Size of the first thousand parts, see {@link partSizeBytes}. */
  readonly partBytes: number;
}

/** Disposing of a part, once it is sent, lets its memory be used for a later one. */
export interface Part extends Disposable {
  readonly bytes: Uint8Array;
}

/**
 * A body ready to be sent: all of it, or the parts that it comes in, two or more, of which only the last may be shorter than
 * its size. Disposing of it lets go of the body, however far it was read.
 */
export type CutBody = AsyncDisposable &
  (WholeBody | { readonly whole?: undefined; readonly parts: AsyncIterable<Part> });

interface WholeBody {
  readonly whole: Uint8Array;
  /** To be called when the whole is stored, and no request reads it any more: its memory is then used for a later body. */
  readonly sent: () => void;
}

/** So many bodies go side by side by default; memory of more is left to the garbage collector. */
const spareHeadsKept = 4;

/** Memory of bodies that were sent. Up to 17 MiB for each segment would be too much to wait for the garbage collector. */
const spareHeads: Uint8Array[] = [];

/**
 * Size of a part by its index, from 0: the base for the first thousand, doubled for each thousand that follows. So no
 * upload passes the 10,000 parts of S3 below 7 TiB, while a part of a backup (1 GiB) never leaves the base size.
 */
export function partSizeBytes(index: number, baseBytes: number): number {
  return baseBytes * 2 ** Math.floor(index / 1000);
}

/**
 * Reads as much of a body as is sent whole; when there is more, the rest follows in parts. Memory is bounded by the sizes.
 * What the body throws comes out of here or out of the parts; an abort ends the wait for the body at once.
 */
export async function cutBody(body: Body, sizes: CutSizes, signal?: AbortSignal): Promise<CutBody> {
  if (body instanceof Uint8Array) {
    const isSmall = body.length <= sizes.wholeBytes;
    return isSmall ? cutWhole(body) : cutParts(sizes, body);
  }
  const chunks = abortable(body(), signal);
  const head = takeBuffer(spareHeads, sizes.wholeBytes);
  let filled = 0;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) return cutWhole(head.subarray(0, filled), () => keepHead(head));
    if (filled + value.length > head.length) return cutParts(sizes, head.subarray(0, filled), value, chunks);
    head.set(value, filled);
    filled += value.length;
  }
}

function cutWhole(whole: Uint8Array, sent: () => void = () => undefined): CutBody {
  return { whole, sent, [Symbol.asyncDispose]: async () => undefined };
}

/** A spare one, where that has just this size. */
function takeBuffer(spares: Uint8Array[], sizeBytes: number): Uint8Array {
  const spare = spares.pop();
  return spare?.length === sizeBytes ? spare : Buffer.allocUnsafeSlow(sizeBytes);
}

function keepHead(head: Uint8Array): void {
  if (spareHeads.length < spareHeadsKept) spareHeads.push(head);
}

/** Cuts what has been read already, and then the rest. The memory of the head is ours as soon as there is a rest. */
function cutParts(sizes: CutSizes, head: Uint8Array, next?: Uint8Array, rest?: AsyncGenerator<Uint8Array>): CutBody {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield head;
    if (next !== undefined) yield next;
    if (rest !== undefined) yield* rest;
  }
  return {
    parts: inParts(stream(), sizes.partBytes, rest === undefined ? undefined : head.buffer),
    [Symbol.asyncDispose]: async () => {
      await rest?.return(undefined);
    },
  };
}

/**
 * Cuts a stream into parts of growing size ({@link partSizeBytes}). A part that lies within one chunk is a view of it, not a
 * copy. Buffers are used again rather than left to the garbage collector, which would come too late: several of 8 MiB a second.
 *
 * @param ours - memory of chunks that nobody else needs any more
 */
async function* inParts(
  source: AsyncIterable<Uint8Array>,
  baseBytes: number,
  ours: ArrayBufferLike | undefined,
): AsyncGenerator<Part> {
  const owned = new Set(ours === undefined ? [] : [ours]);
  const free: Uint8Array[] = [];
  let index = 0;
  let part: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of source) {
    for (let offset = 0; offset < chunk.length; ) {
      const sizeBytes = partSizeBytes(index, baseBytes);
      const piece = chunk.subarray(offset, offset + sizeBytes - filled);
      offset += piece.length;
      if (piece.length < sizeBytes) {
        part ??= takeOwned(sizeBytes);
        part.set(piece, filled);
      }
      filled += piece.length;
      if (filled < sizeBytes) continue;
      yield disposable(part ?? piece);
      index += 1;
      part = undefined;
      filled = 0;
    }
  }
  if (part !== undefined) yield disposable(part.subarray(0, filled));

  function takeOwned(sizeBytes: number): Uint8Array {
    const buffer = takeBuffer(free, sizeBytes);
    owned.add(buffer.buffer);
    return buffer;
  }

  function disposable(bytes: Uint8Array): Part {
    return { bytes, [Symbol.dispose]: () => void (owned.has(bytes.buffer) && free.push(bytes)) };
  }
}

/** Sends one part; `number` counts from 1. */
export type UploadPart<T> = (bytes: Uint8Array, number: number, signals: UploadSignals) => Promise<T>;

export interface UploadSignals {
  /** Aborted as soon as the upload has failed: do not try again. */
  readonly stop: AbortSignal;
  /** Aborted after the grace: leave the request that is under way. */
  readonly leave: AbortSignal;
}

export interface UploadOptions {
  /** Parts that are in memory, being filled or sent. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  /** How long requests under way may go on after a failure or an abort. */
  readonly graceMs: number;
}

/**
 * Sends the parts, some side by side, and returns the answers in their order. After a failure nothing more is read or begun, and
 * when this rejects no request is under way any more.
 */
export async function uploadParts<T>(
  parts: AsyncIterable<Part>,
  upload: UploadPart<T>,
  { concurrency, signal, graceMs }: UploadOptions,
): Promise<T[]> {
  const stop = new AbortController();
  const leave = new AbortController();
  const signals = { stop: stop.signal, leave: leave.signal };
  const underWay = new Set<Promise<T>>();
  const send = async (part: Part, index: number): Promise<T> => {
    using sent = part;
    const answer = upload(sent.bytes, index + 1, signals);
    underWay.add(answer);
    return await answer.finally(() => underWay.delete(answer));
  };
  try {
    return await pMap(parts, send, { concurrency, ...(signal === undefined ? {} : { signal }) });
  } catch (error) {
    stop.abort(error);
    const grace = setTimeout(() => leave.abort(error), graceMs);
    await Promise.allSettled(underWay);
    clearTimeout(grace);
    throw error;
  }
}

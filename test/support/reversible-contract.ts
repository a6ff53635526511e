import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from './byte-streams.ts';

type Bytes = AsyncIterable<Uint8Array>;

/** A way to write bytes as an object and to read them back: a codec or a cipher. */
export interface Reversible {
  readonly write: (source: Bytes) => Bytes;
  readonly read: (source: Bytes) => Bytes;
}

export interface ReversibleTraits {
  /** Whether the format notices every change of the stored bytes; otherwise only truncation and breaches of the format. */
  readonly noticesEveryChange: boolean;
  /** At most so much is read ahead of the consumer. */
  readonly readAheadBytes: number;
  /** The largest chunk handed out, in either direction. */
  readonly largestChunkBytes: number;
  /** Set when nothing is stored in so few bytes that any object cut off there stands for nothing, too. */
  readonly sizeOfNothingBytes?: number;
}

const mebibyte = 1024 * 1024;

/** What every codec and cipher promises, whatever its format. */
export function itIsReversible({ write, read }: Reversible, traits: ReversibleTraits): void {
  const written = (bytes: Uint8Array): Promise<Buffer> => joined(write(inChunks(bytes, 50_000)));
  const readBack = (...parts: readonly Uint8Array[]): Promise<Buffer> =>
    joined(read(inChunks(Buffer.concat(parts), 1000)));

  it('gives back the same bytes around the sizes of blocks and chunks', async () => {
    for (const sizeBytes of [0, 1, 8191, 8192, 8193, 65_535, 65_536, 65_537, 4 * mebibyte]) {
      const bytes = walLikeBytes(sizeBytes);
      const stored = await joined(write(inChunks(bytes, 100_003, 7, mebibyte)));
      const restored = await joined(read(inChunks(stored, 65_537, 1, 3)));
      expect(restored.equals(bytes), `${sizeBytes} bytes`).toBe(true);
    }
  });

  it('gives back the same bytes whatever the borders of the chunks', async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 });
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 20_000 }),
      cuts,
      cuts,
      async (bytes, before, after) => {
        const stored = await joined(write(inChunks(bytes, ...before)));
        expect(Buffer.compare(await joined(read(inChunks(stored, ...after))), bytes)).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  it('refuses an object that is cut off at any byte', async () => {
    const stored = await written(walLikeBytes(150));
    for (let length = 0; length < stored.length; length += 1) {
      if (length === traits.sizeOfNothingBytes) continue;
      await expect(readBack(stored.subarray(0, length)), `${length} bytes`).rejects.toThrow(IntegrityError);
    }
  });

  const promise = traits.noticesEveryChange ? 'or reads the same bytes from it' : 'or ends without another error';
  it(`refuses an object with any one bit flipped, ${promise}`, async () => {
    const bytes = walLikeBytes(150);
    const stored = await written(bytes);
    for (let bit = 0; bit < stored.length * 8; bit += 1) {
      const flipped = Buffer.from(stored);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await readBack(flipped).catch((error: unknown) => error);
      if (!(outcome instanceof Buffer)) expect(outcome, `bit ${bit}`).toBeInstanceOf(IntegrityError);
      else if (traits.noticesEveryChange) expect(outcome.equals(bytes), `bit ${bit}`).toBe(true);
    }
  });

  it('refuses whatever follows', async () => {
    const stored = await written(walLikeBytes(100));
    for (const rest of ['x', 'abc', '\0', '\0'.repeat(5000), 'some more text'.repeat(100)]) {
      await expect(readBack(stored, Buffer.from(rest, 'latin1')), JSON.stringify(rest)).rejects.toThrow(IntegrityError);
    }
  });

  it('throws the very error of its source', async () => {
    const failure = new Error('the disk is gone');
    async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw failure;
    }
    const stored = await written(walLikeBytes(1000));
    await expect(joined(write(failing(walLikeBytes(mebibyte))))).rejects.toBe(failure);
    await expect(joined(read(failing(stored.subarray(0, -10))))).rejects.toBe(failure);
  });

  it('reads its source to the end', async () => {
    const stored = await written(walLikeBytes(100));
    let hasEnded = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      yield stored;
      hasEnded = true;
    }
    await joined(read(source()));
    expect(hasEnded).toBe(true);
  });

  it('closes its source when the consumer stops early', async () => {
    const bytes = walLikeBytes(traits.readAheadBytes + mebibyte);
    const stored = await written(bytes);
    for (const [work, input] of [[write, bytes] as const, [read, stored] as const]) {
      const closed = Promise.withResolvers<true>();
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* inChunks(input, 10_000);
        } finally {
          closed.resolve(true);
        }
      };
      for await (const chunk of work(source())) if (chunk.length > 1000) break;
      expect(await closed.promise).toBe(true);
    }
  });

  it('writes no further ahead than the consumer has taken', async () => {
    let takenBytes = 0;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        takenBytes += mebibyte;
        yield randomBytes(mebibyte);
      }
    };
    for await (const written of write(endless())) {
      expect(written.length).toBeLessThanOrEqual(traits.largestChunkBytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (written.length > 1000) break;
    }
    expect(takenBytes).toBeLessThanOrEqual(traits.readAheadBytes);
  });

  it('hands out what a small object expands to in chunks that the consumer paces', async () => {
    const stored = await joined(write(inChunks(Buffer.alloc(32 * mebibyte), mebibyte)));
    let takenBytes = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of inChunks(stored, 1000)) {
        takenBytes += chunk.length;
        yield chunk;
      }
    };
    for await (const chunk of read(source())) {
      expect(chunk.length).toBeLessThanOrEqual(traits.largestChunkBytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (chunk.length > 0) break;
    }
    expect(takenBytes).toBeLessThanOrEqual(traits.readAheadBytes);
  });
}

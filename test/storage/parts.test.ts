import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutBody, partSizeBytes, uploadParts } from '../../src/storage/parts.ts';
import { inChunks, walLikeBytes } from '../support/byte-streams.ts';

const sizes = { wholeBytes: 20, partBytes: 8 };

/** Uploads by keeping a copy of each part, as the network would. */
async function partsOf(parts: Parameters<typeof uploadParts>[0], concurrency: number): Promise<Buffer[]> {
  const upload = async (bytes: Uint8Array) => {
    await setImmediate();
    return Buffer.from(bytes);
  };
  return await uploadParts(parts, upload, { concurrency, graceMs: 0 });
}

describe('partSizeBytes', () => {
  it('stays below ten thousand parts up to 7 TiB', () => {
    let total = 0;
    for (let index = 0; index < 10_000; index += 1) total += partSizeBytes(index, 8 * 1024 ** 2);
    expect(total).toBeGreaterThan(7 * 1024 ** 4);
    expect(partSizeBytes(999, 8)).toBe(8);
    expect(partSizeBytes(1000, 8)).toBe(16);
  });
});

describe('cutBody', () => {
  it('gives a body of up to the limit as a whole', async () => {
    for (const sizeBytes of [0, 1, 20]) {
      const bytes = walLikeBytes(sizeBytes);
      await using fromBytes = await cutBody(bytes, sizes);
      await using fromStream = await cutBody(() => inChunks(bytes, 3), sizes);
      expect(fromBytes.whole).toBe(bytes);
      expect(Buffer.from(fromStream.whole ?? []).equals(bytes)).toBe(true);
    }
  });

  it('cuts a larger one into parts of one size, whatever its chunks', async () => {
    const chunkLengths = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 21, max: 400 }),
        chunkLengths,
        fc.integer({ min: 1, max: 4 }),
        async (...run) => {
          const [sizeBytes, lengths, concurrency] = run;
          const bytes = walLikeBytes(sizeBytes);
          for (const body of [bytes, () => inChunks(bytes, ...lengths)]) {
            await using cut = await cutBody(body, sizes);
            if (cut.whole !== undefined) throw new Error('it was not cut');
            const parts = await partsOf(cut.parts, concurrency);
            expect(parts.slice(0, -1).every((part) => part.length === sizes.partBytes)).toBe(true);
            expect(Buffer.concat(parts).equals(bytes)).toBe(true);
          }
        },
      ),
    );
  });

  it('uses the memory of parts that are sent again, and never that of the body', async () => {
    const chunk = walLikeBytes(100);
    const seen = new Set<ArrayBufferLike>();
    await using cut = await cutBody(() => inChunks(Buffer.concat(Array(50).fill(chunk)), 5), sizes);
    if (cut.whole !== undefined) throw new Error('it was not cut');
    for await (const part of cut.parts) {
      using sent = part;
      seen.add(sent.bytes.buffer);
    }
    expect(seen.size).toBeLessThanOrEqual(2);

    const body = walLikeBytes(100);
    const copy = Buffer.from(body);
    await using fromBytes = await cutBody(body, sizes);
    if (fromBytes.whole !== undefined) throw new Error('it was not cut');
    await partsOf(fromBytes.parts, 3);
    expect(body.equals(copy)).toBe(true);
  });

  it('uses the memory of a whole body again once that is sent, not before', async () => {
    const cutWhole = async (bytes: Uint8Array) => {
      const cut = await cutBody(() => inChunks(bytes, 7), sizes);
      if (cut.whole === undefined) throw new Error('it was cut');
      return cut;
    };
    const [first, second] = [await cutWhole(walLikeBytes(20)), await cutWhole(walLikeBytes(10))];
    expect(second.whole.buffer).not.toBe(first.whole.buffer);
    second.sent();
    const third = await cutWhole(Buffer.from('the third'));
    expect(third.whole.buffer).toBe(second.whole.buffer);
    expect(Buffer.from(third.whole).toString()).toBe('the third');
    expect(Buffer.from(first.whole).equals(walLikeBytes(20))).toBe(true);
  });

  it('lets go of the body however far it was read', async () => {
    for (const readParts of [0, 1, 100]) {
      let isOpen = false;
      const body = async function* () {
        isOpen = true;
        try {
          yield* inChunks(walLikeBytes(100), 7);
        } finally {
          isOpen = false;
        }
      };
      {
        await using cut = await cutBody(body, sizes);
        if (cut.whole !== undefined) throw new Error('it was not cut');
        expect(isOpen).toBe(true);
        let count = 0;
        if (readParts > 0) for await (const _ of cut.parts) if (++count >= readParts) break;
      }
      expect(isOpen, `after ${readParts} parts`).toBe(false);
    }
  });
});

describe('uploadParts', () => {
  const parts = () => cutBody(walLikeBytes(80), sizes);

  it('gives the answers in the order of the parts', async () => {
    await using cut = await parts();
    if (cut.whole !== undefined) throw new Error('it was not cut');
    const numbers = await uploadParts(
      cut.parts,
      async (_bytes, number) => {
        for (let turn = 0; turn < 10 - number; turn += 1) await setImmediate();
        return number;
      },
      { concurrency: 4, graceMs: 0 },
    );
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('begins nothing after a failure, and waits for what is under way', async () => {
    await using cut = await parts();
    if (cut.whole !== undefined) throw new Error('it was not cut');
    const failure = new Error('part 3 failed');
    const begun: number[] = [];
    let underWay = 0;
    const upload = async (_bytes: Uint8Array, number: number) => {
      begun.push(number);
      underWay += 1;
      for (let turn = 0; turn < (number === 3 ? 2 : 20); turn += 1) await setImmediate();
      underWay -= 1;
      if (number === 3) throw failure;
    };
    await expect(uploadParts(cut.parts, upload, { concurrency: 3, graceMs: 5000 })).rejects.toBe(failure);
    expect({ begun, underWay }).toEqual({ begun: [1, 2, 3], underWay: 0 });
  });

  it('tells at once to stop, and after the grace to leave, what is under way when it is aborted', async () => {
    await using cut = await parts();
    if (cut.whole !== undefined) throw new Error('it was not cut');
    const abort = new AbortController();
    const reason = new Error('told to stop');
    const events: string[] = [];
    const upload = async (
      _bytes: Uint8Array,
      number: number,
      { stop, leave }: { stop: AbortSignal; leave: AbortSignal },
    ) => {
      stop.addEventListener('abort', () => events.push(`${number} stops`));
      await new Promise((_resolve, reject) => {
        leave.addEventListener('abort', () => {
          events.push(`${number} leaves`);
          reject(leave.reason);
        });
        abort.abort(reason);
      });
    };
    const call = uploadParts(cut.parts, upload, { concurrency: 1, graceMs: 20, signal: abort.signal });
    await expect(call).rejects.toBe(reason);
    expect(events).toEqual(['1 stops', '1 leaves']);
  });
});

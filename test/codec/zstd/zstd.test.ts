import { constants, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAtFrameEnds } from '../../../src/codec/zstd/frame-ends.ts';
import { zstdCodec } from '../../../src/codec/zstd/zstd.ts';
import { ConfigError, IntegrityError } from '../../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';

const engines = ['node', 'napi'] as const;
const codecs = { node: zstdCodec({ level: 3, engine: 'node' }), napi: zstdCodec({ level: 3, engine: 'napi' }) };
const mebibyte = 1024 * 1024;

/** One frame with a content checksum. */
function frame(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

describe.for(engines)('zstd by the engine %s', (engine) => {
  const codec = codecs[engine];
  const decode = (...parts: readonly Uint8Array[]): Promise<Buffer> =>
    joined(codec.decode(inChunks(Buffer.concat(parts), mebibyte)));

  it.for(engines)('writes what the engine %s reads', async (reader) => {
    for (const sizeBytes of [0, 1, 8191, 8192, 8193, 65536, 4 * mebibyte, 16 * mebibyte]) {
      const bytes = walLikeBytes(sizeBytes);
      const stored = await joined(codec.encode(inChunks(bytes, 100_003, 7, mebibyte)));
      const restored = await joined(codecs[reader].decode(inChunks(stored, 65_537, 1, 3)));
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
        const stored = await joined(codec.encode(inChunks(bytes, ...before)));
        expect(Buffer.compare(await joined(codec.decode(inChunks(stored, ...after))), bytes)).toBe(0);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it('is done with a chunk when it asks for the next one', async () => {
    const bytes = walLikeBytes(10 * mebibyte);
    const buffer = Buffer.alloc(300_000);
    async function* overwriting() {
      for (let offset = 0; offset < bytes.length; offset += buffer.length) {
        buffer.fill('overwritten');
        const sizeBytes = bytes.copy(buffer, 0, offset);
        yield buffer.subarray(0, sizeBytes);
      }
    }
    expect(codec.releasesChunks).toBe(true);
    const stored = await joined(codec.encode(overwriting()));
    expect((await decode(stored)).equals(bytes)).toBe(true);
  });

  it('writes one single frame, which is all that WAL-RUS reads', async () => {
    for (const sizeBytes of [0, 1, 2 * mebibyte, 2 * mebibyte + 1, 16 * mebibyte]) {
      const stored = await joined(codec.encode(inChunks(walLikeBytes(sizeBytes), 1_000_003)));
      const frames = await Array.fromAsync(cutAtFrameEnds(inChunks(stored)));
      expect(frames.length, `${sizeBytes} bytes`).toBe(1);
    }
  });

  it('begins anew after a stream that failed or was left', async () => {
    const bytes = walLikeBytes(5 * mebibyte);
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw new Error('the disk is gone');
    }
    await expect(joined(codec.encode(failing()))).rejects.toThrow('the disk is gone');
    for await (const _ of codec.encode(inChunks(bytes))) break;
    expect((await decode(await joined(codec.encode(inChunks(bytes))))).equals(bytes)).toBe(true);
  });

  it('writes a content checksum', async () => {
    const stored = await joined(codec.encode(inChunks(walLikeBytes(1000))));
    expect(stored.readUInt32LE(0)).toBe(0xfd2fb528);
    expect((stored[4] ?? 0) & 0b100).toBe(0b100);
  });

  it('reads frames one after another, whatever the size of their content', async () => {
    for (const sizeBytes of [
      0,
      1,
      65_535,
      65_536,
      65_537,
      262_144,
      mebibyte - 1,
      mebibyte,
      mebibyte + 1,
      2 * mebibyte,
    ]) {
      const bytes = walLikeBytes(sizeBytes);
      const restored = await decode(frame(bytes), frame(Buffer.from('next')), frame(bytes));
      expect(restored.equals(Buffer.concat([bytes, Buffer.from('next'), bytes])), `${sizeBytes} bytes`).toBe(true);
    }
  });

  it('passes over skippable frames', async () => {
    const skippable = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const empty = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
    const text = Buffer.from('in between');
    expect(await decode(skippable, empty, frame(text), skippable, frame(text), empty)).toEqual(
      Buffer.concat([text, text]),
    );
  });

  it('reads windows of 512 MiB and refuses larger ones', async () => {
    expect(await decode(frameWithWindow(29))).toEqual(Buffer.from('x'));
    await expect(decode(frameWithWindow(30))).rejects.toThrow(IntegrityError);
  });

  it('refuses an object that is cut off at any byte', async () => {
    const stored = frame(walLikeBytes(300));
    for (let length = 0; length < stored.length; length += 1) {
      await expect(decode(stored.subarray(0, length)), `${length} bytes`).rejects.toThrow(IntegrityError);
    }
  });

  it('refuses an object of several frames that is cut off within one of them', async () => {
    const first = frame(walLikeBytes(100));
    const stored = Buffer.concat([first, frame(walLikeBytes(50))]);
    for (let length = first.length + 1; length < stored.length; length += 1) {
      await expect(decode(stored.subarray(0, length)), `${length} bytes`).rejects.toThrow(IntegrityError);
    }
  });

  it('refuses an object with a flipped bit, or reads the same bytes from it', async () => {
    const bytes = walLikeBytes(150);
    const stored = Buffer.concat([frame(bytes), frame(bytes)]);
    for (let bit = 0; bit < stored.length * 8; bit += 1) {
      const flipped = Buffer.from(stored);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await decode(flipped).catch((error: unknown) => error);
      if (outcome instanceof Buffer) expect(outcome, `bit ${bit}`).toEqual(Buffer.concat([bytes, bytes]));
      else expect(outcome, `bit ${bit}`).toBeInstanceOf(IntegrityError);
    }
  });

  it('refuses whatever follows the last frame', async () => {
    const stored = frame(walLikeBytes(100));
    for (const rest of ['x', 'abc', 'some more text', '\0', '\0'.repeat(512)]) {
      await expect(decode(stored, Buffer.from(rest, 'latin1')), JSON.stringify(rest)).rejects.toThrow(IntegrityError);
    }
  });

  it('throws the very error of its source', async () => {
    const failure = new Error('the disk is gone');
    async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw failure;
    }
    await expect(joined(codec.encode(failing(walLikeBytes(3 * mebibyte))))).rejects.toBe(failure);
    await expect(joined(codec.decode(failing(frame(walLikeBytes(100)))))).rejects.toBe(failure);
  });

  it('closes its source when the consumer stops early', async () => {
    const bytes = walLikeBytes(16 * mebibyte);
    const stored = await joined(codec.encode(inChunks(bytes, mebibyte)));
    for (const work of [codec.encode, codec.decode]) {
      const closed = Promise.withResolvers<true>();
      const source = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* inChunks(work === codec.encode ? bytes : stored, 10_000);
        } finally {
          closed.resolve(true);
        }
      };
      for await (const chunk of work(source())) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await closed.promise).toBe(true);
    }
  });

  it('reads no further ahead than a few frames of what the consumer has taken', async () => {
    let readBytes = 0;
    const chunk = walLikeBytes(mebibyte);
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        readBytes += chunk.length;
        yield chunk;
      }
    };
    for await (const _ of codec.encode(endless())) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      break;
    }
    expect(readBytes).toBeLessThanOrEqual(20 * mebibyte);
  });

  it('keeps a decompression bomb in small chunks', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(64 * mebibyte));
    for await (const chunk of codec.decode(inChunks(bomb))) {
      expect(chunk.length).toBeLessThanOrEqual(mebibyte);
      break;
    }
  });
});

/** A frame whose header asks for a window of this size; its content is one byte. */
function frameWithWindow(windowLog: number): Buffer {
  const descriptor = 0;
  const lastRawBlockOfOneByte = [0b1001, 0, 0];
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, (windowLog - 10) << 3, ...lastRawBlockOfOneByte, 0x78]);
}

describe('zstdCodec', () => {
  it('compresses more at a higher level', async () => {
    const bytes = walLikeBytes(mebibyte);
    const stored = (level: number): Promise<Buffer> =>
      joined(zstdCodec({ level, engine: 'node' }).encode(inChunks(bytes)));
    expect((await stored(19)).length).toBeLessThan((await stored(1)).length);
  });

  it.for([0, 20, -1, 2.5, Number.NaN])('refuses level %s', (level) => {
    expect(() => zstdCodec({ level, engine: 'node' })).toThrow(ConfigError);
  });
});

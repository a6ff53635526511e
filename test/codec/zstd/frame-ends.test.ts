import { constants, createZstdCompress, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { cutAtFrameEnds } from '../../../src/codec/zstd/frame-ends.ts';
import { inChunks, joined, walLikeBytes } from '../../support/byte-streams.ts';

/** Frames of every shape that the header can take. */
const shapes: Record<string, Buffer> = {
  'a run of one byte': zstdCompressSync(Buffer.alloc(1000)),
  'a run of one byte over several blocks': zstdCompressSync(Buffer.alloc(300_000)),
  'raw blocks': zstdCompressSync(noise(200_000)),
  'compressed blocks': zstdCompressSync(walLikeBytes(500_000)),
  'a checksum': zstdCompressSync(walLikeBytes(5000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  'no content': zstdCompressSync(new Uint8Array()),
  'no content and a checksum': zstdCompressSync(new Uint8Array(), { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  'a content size of two bytes': zstdCompressSync(walLikeBytes(300)),
  'a content size of four bytes': zstdCompressSync(Buffer.alloc(100_000)),
  'no content size': await joined(createZstdCompress().end(walLikeBytes(100_000))),
  'nothing but skipped bytes': Buffer.from([0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0x28, 0xb5]),
  'skipped nothing': Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]),
  'a content size of eight bytes and a dictionary id of four': Buffer.from([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0b1110_0011, 1, 2, 3, 4, 2, 0, 0, 0, 0, 0, 0, 0],
    ...[0b1_0001, 0, 0, 0xaa, 0xbb],
  ]),
};

function noise(sizeBytes: number): Buffer {
  let state = 88_172_645;
  return Buffer.from(
    Uint8Array.from({ length: sizeBytes }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state;
    }),
  );
}

describe('cutAtFrameEnds', () => {
  const frames = Object.values(shapes);
  const stream = Buffer.concat(frames);

  it.for(Object.keys(shapes))('ends a chunk with the end of a frame of %s', async (shape) => {
    const frame = shapes[shape] ?? Buffer.alloc(0);
    expect(await Array.fromAsync(cutAtFrameEnds(inChunks(Buffer.concat([frame, frame]))))).toEqual([frame, frame]);
  });

  it('gives one chunk per frame when all arrive at once', async () => {
    expect(await Array.fromAsync(cutAtFrameEnds(inChunks(stream)))).toEqual(frames);
  });

  it.for([1, 2, 3, 5, 7, 100, 1000])('never crosses the end of a frame with chunks of %i bytes', async (length) => {
    const small = frames.filter((frame) => frame.length < 6000);
    let position = 0;
    let end = 0;
    const rest = [...small];
    for await (const chunk of cutAtFrameEnds(inChunks(Buffer.concat(small), length))) {
      if (position === end) end += rest.shift()?.length ?? 0;
      position += chunk.length;
      expect(position).toBeLessThanOrEqual(end);
    }
    expect(rest).toEqual([]);
  });

  it('passes on what it does not understand', async () => {
    const text = Buffer.from('this is no zstd at all');
    expect(await joined(cutAtFrameEnds(inChunks(text, 3)))).toEqual(text);
    expect(await joined(cutAtFrameEnds(inChunks(text.subarray(0, 2))))).toEqual(text.subarray(0, 2));
  });
});

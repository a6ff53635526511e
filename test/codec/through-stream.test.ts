import { PassThrough, Transform } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { throughStream } from '../../src/codec/through-stream.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

describe('throughStream', () => {
  const bytes = walLikeBytes(500_000);

  it('gives what the stream makes of the source', async () => {
    expect((await joined(throughStream(inChunks(bytes, 1000), new PassThrough()))).equals(bytes)).toBe(true);
  });

  it('throws the error of the source and destroys the stream', async () => {
    const failure = new Error('source');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes;
      throw failure;
    }
    const stream = new PassThrough();
    await expect(joined(throughStream(failing(), stream))).rejects.toBe(failure);
    expect(stream.destroyed).toBe(true);
  });

  it('throws the error of the stream and closes the source', async () => {
    const failure = new Error('stream');
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 1000);
      } finally {
        isClosed = true;
      }
    }
    const stream = new Transform({ transform: (_chunk, _encoding, done) => done(failure) });
    await expect(joined(throughStream(source(), stream))).rejects.toBe(failure);
    expect(isClosed).toBe(true);
  });

  it('destroys the stream and closes the source when the consumer stops early', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes;
      } finally {
        isClosed = true;
      }
    }
    const stream = new PassThrough();
    for await (const chunk of throughStream(source(), stream)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect([stream.destroyed, isClosed]).toEqual([true, true]);
  });
});

import { describe, expect, it } from 'vitest';
import { rereadable } from '../../src/util/rereadable.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

const bytes = walLikeBytes(5000);

describe('rereadable', () => {
  it('gives the whole stream after a look at its beginning', async () => {
    await using stream = rereadable(inChunks(bytes, 7, 300));
    expect(await stream.beginning(1000)).toEqual(bytes.subarray(0, 1000));
    expect(await stream.beginning(10)).toEqual(bytes.subarray(0, 10));
    const chunks = stream.chunks();
    stream.letGo();
    expect((await joined(chunks)).equals(bytes)).toBe(true);
  });

  it('gives it again when somebody has given up reading it', async () => {
    let isClosed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inChunks(bytes, 1500);
      } finally {
        isClosed = true;
      }
    }
    {
      await using stream = rereadable(source());
      for await (const _ of stream.chunks()) break;
      expect(await stream.beginning(2000)).toEqual(bytes.subarray(0, 2000));
      expect((await joined(stream.chunks())).equals(bytes)).toBe(true);
      expect((await joined(stream.chunks())).equals(bytes)).toBe(true);
    }
    {
      await using stream = rereadable(source());
      isClosed = false;
      for await (const _ of stream.chunks()) break;
      expect(isClosed).toBe(false);
    }
    expect(isClosed).toBe(true);
  });

  it('copies what it keeps, for the source may use its memory again', async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      const memory = Buffer.from('first');
      yield memory;
      memory.write('other');
      yield memory;
    }
    await using stream = rereadable(source());
    await joined(stream.chunks());
    expect((await joined(stream.chunks())).toString()).toBe('firstother');
  });

  it('ends where a short stream ends', async () => {
    await using stream = rereadable(inChunks(bytes.subarray(0, 3)));
    expect(await stream.beginning(512)).toEqual(bytes.subarray(0, 3));
    expect(await joined(stream.chunks())).toEqual(bytes.subarray(0, 3));
  });
});

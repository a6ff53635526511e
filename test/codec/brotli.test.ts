import { brotliCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { brotliCodec } from '../../src/codec/brotli.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { itIsReversible } from '../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;

describe('brotli', () => {
  itIsReversible(
    { write: brotliCodec.encode, read: brotliCodec.decode },
    { noticesEveryChange: false, readAheadBytes: 8 * mebibyte, largestChunkBytes: mebibyte },
  );

  it('reads streams of any quality', async () => {
    const bytes = walLikeBytes(100_000);
    const stored = brotliCompressSync(bytes);
    expect((await joined(brotliCodec.decode(inChunks(stored, 999)))).equals(bytes)).toBe(true);
  });
});

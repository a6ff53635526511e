import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { gzipCodec } from '../../src/codec/gzip.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';
import { itIsReversible } from '../support/reversible-contract.ts';

const mebibyte = 1024 * 1024;

describe('gzip', () => {
  itIsReversible(
    { write: gzipCodec.encode, read: gzipCodec.decode },
    { noticesEveryChange: true, readAheadBytes: 8 * mebibyte, largestChunkBytes: mebibyte },
  );

  it('reads several members as one', async () => {
    const bytes = walLikeBytes(5000);
    const stored = Buffer.concat([gzipSync(bytes), gzipSync(''), gzipSync(bytes)]);
    for (const lengths of [[stored.length], [1], [gzipSync(bytes).length]]) {
      const restored = await joined(gzipCodec.decode(inChunks(stored, ...lengths)));
      expect(restored.equals(Buffer.concat([bytes, bytes])), `chunks of ${lengths}`).toBe(true);
    }
  });
});

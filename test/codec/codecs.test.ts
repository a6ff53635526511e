import { describe, expect, it } from 'vitest';
import { type CodecName, codecForSuffix, createCodec, knownSuffixes } from '../../src/codec/codecs.ts';
import { ConfigError } from '../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

describe('createCodec', () => {
  it('makes the codec of each name', () => {
    expect(createCodec('zstd')).toMatchObject({ name: 'zstd', suffix: 'zst' });
    expect(createCodec('zstd', { level: 19, engine: 'napi' })).toMatchObject({ name: 'zstd', suffix: 'zst' });
    expect(createCodec('none', { level: 3 })).toMatchObject({ name: 'none', suffix: '' });
  });

  it('refuses a codec that we only know by name', () => {
    expect(() => createCodec('lz4' as CodecName)).toThrow(new ConfigError('compression lz4 is not supported'));
  });
});

describe('codecForSuffix', () => {
  it('finds the codec that wrote an object', async () => {
    const bytes = walLikeBytes(100_000);
    for (const codec of [createCodec('zstd', { level: 1 }), createCodec('none')]) {
      const reader = codecForSuffix(codec.suffix);
      const stored = codec.encode(inChunks(bytes, 999));
      expect(reader && (await joined(reader.decode(stored))).equals(bytes), codec.name).toBe(true);
    }
  });

  it('knows no codec for a suffix that is no compression', () => {
    expect(codecForSuffix('json')).toBeUndefined();
    expect(codecForSuffix('partial')).toBeUndefined();
  });

  it.for(knownSuffixes.filter((suffix) => !['zst', ''].includes(suffix)))('says that .%s cannot be read', (suffix) => {
    expect(() => codecForSuffix(suffix)).toThrow(ConfigError);
    expect(() => codecForSuffix(suffix)).toThrow(`(.${suffix}) cannot be read`);
  });
});

describe('knownSuffixes', () => {
  it("names the suffixes of all of WAL-G's codecs", () => {
    expect(knownSuffixes.toSorted()).toEqual(['', 'br', 'gz', 'lz4', 'lzma', 'lzo', 'zst']);
  });
});

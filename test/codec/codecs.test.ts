import { describe, expect, it } from 'vitest';
import { type CodecName, codecForSuffix, createCodec, knownSuffixes } from '../../src/codec/codecs.ts';
import { ConfigError } from '../../src/errors.ts';
import { inChunks, joined, walLikeBytes } from '../support/byte-streams.ts';

describe('createCodec', () => {
  it('makes the codec of each name', () => {
    expect(createCodec('zstd')).toMatchObject({ name: 'zstd', suffix: 'zst' });
    expect(createCodec('zstd', { level: 19, engine: 'napi' })).toMatchObject({ name: 'zstd', suffix: 'zst' });
    expect(createCodec('none', { level: 3 })).toMatchObject({ name: 'none', suffix: '' });
    expect(createCodec('lz4')).toMatchObject({ name: 'lz4', suffix: 'lz4' });
    expect(createCodec('brotli')).toMatchObject({ name: 'brotli', suffix: 'br' });
    expect(createCodec('lzma')).toMatchObject({ name: 'lzma', suffix: 'lzma' });
  });

  it.for(['gzip', 'lzo', 'rar'])('refuses to write %s', (name) => {
    expect(() => createCodec(name as CodecName)).toThrow(new ConfigError(`compression ${name} is not supported`));
  });
});

describe('codecForSuffix', () => {
  it('finds the codec that wrote an object', async () => {
    const bytes = walLikeBytes(100_000);
    for (const name of ['zstd', 'lz4', 'brotli', 'lzma', 'none'] as const) {
      const codec = createCodec(name, { level: 1 });
      const reader = codecForSuffix(codec.suffix);
      const stored = codec.encode(inChunks(bytes, 999));
      expect(reader && (await joined(reader.decode(stored))).equals(bytes), codec.name).toBe(true);
    }
  });

  it('knows no codec for a suffix that is no compression', () => {
    expect(codecForSuffix('json')).toBeUndefined();
    expect(codecForSuffix('partial')).toBeUndefined();
  });

  it('reads gzip', () => {
    expect(codecForSuffix('gz')).toMatchObject({ name: 'gzip' });
  });

  it('says that lzo cannot be read', () => {
    expect(() => codecForSuffix('lzo')).toThrow(ConfigError);
    expect(() => codecForSuffix('lzo')).toThrow('objects compressed with lzo (.lzo) cannot be read');
  });
});

describe('knownSuffixes', () => {
  it("names the suffixes of all of WAL-G's codecs", () => {
    expect(knownSuffixes.toSorted()).toEqual(['', 'br', 'gz', 'lz4', 'lzma', 'lzo', 'zst']);
  });
});

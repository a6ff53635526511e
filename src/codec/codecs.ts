import { ConfigError } from '../errors.ts';
import { brotliCodec } from './brotli.ts';
import type { Codec } from './codec.ts';
import { gzipCodec } from './gzip.ts';
import { lz4Codec } from './lz4/lz4.ts';
import { lzmaCodec } from './lzma/lzma.ts';
import { noneCodec } from './none.ts';
import { type ZstdOptions, zstdCodec } from './zstd/zstd.ts';

/** What new objects can be written with. */
export type CodecName = 'zstd' | 'lz4' | 'brotli' | 'lzma' | 'none';

/** What codecs can be tuned by; each takes what concerns it. */
export type CodecOptions = Partial<ZstdOptions>;

interface CodecRow {
  readonly name: string;
  readonly suffix: string;
  /** Absent: such objects exist in WAL-G's repositories, but we cannot read them. */
  readonly create?: (options: CodecOptions) => Codec;
  /** WAL-G knows such objects but writes none. */
  readonly isReadOnly?: true;
}

/** Every compression format that a repository in WAL-G's layout may hold. A new codec is one file and its row here. */
const rows: readonly CodecRow[] = [
  { name: 'zstd', suffix: 'zst', create: ({ level = 3, engine = 'node' }) => zstdCodec({ level, engine }) },
  { name: 'none', suffix: '', create: () => noneCodec },
  { name: 'lz4', suffix: 'lz4', create: () => lz4Codec },
  { name: 'lzma', suffix: 'lzma', create: () => lzmaCodec },
  { name: 'brotli', suffix: 'br', create: () => brotliCodec },
  { name: 'gzip', suffix: 'gz', create: () => gzipCodec, isReadOnly: true },
  { name: 'lzo', suffix: 'lzo' },
];

/** The suffixes under which one and the same file may be stored, '' among them: an existence check must look for all of them. */
export const knownSuffixes: readonly string[] = rows.map((row) => row.suffix);

/**
 * The codec that new objects are written with; `zstd` at level 3 on the engine `node` unless told otherwise.
 *
 * @throws {@link ConfigError} when there is no such codec, level or engine
 */
export function createCodec(name: CodecName, options: CodecOptions = {}): Codec {
  const create = rows.find((row) => row.name === name && !row.isReadOnly)?.create;
  if (create === undefined) throw new ConfigError(`compression ${name} is not supported`);
  return create(options);
}

/**
 * The codec that reads objects of this suffix (what follows the last dot of the key, '' when there is none); undefined when no
 * compression goes by it.
 *
 * @throws {@link ConfigError} when the suffix is one of WAL-G's that we cannot read
 */
export function codecForSuffix(suffix: string): Codec | undefined {
  const row = rows.find((candidate) => candidate.suffix === suffix);
  if (row === undefined) return undefined;
  if (row.create === undefined) {
    throw new ConfigError(`objects compressed with ${row.name} (.${suffix}) cannot be read`, {
      hint: 'Read them with WAL-G, which wrote them, or use another repository.',
    });
  }
  return row.create({});
}

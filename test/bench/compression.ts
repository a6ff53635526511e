import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { compressFrame } from 'lz4-napi';
import pMap from 'p-map';

/** How everybody compresses in one part of a run. */
export interface Compression {
  readonly codec: 'zstd' | 'lz4';
  /** zstd's; lz4 is measured at its fastest only. */
  readonly level: number;
}

/** Reads `zstd:3` or `lz4`. */
export function parseCompression(text: string): Compression {
  const [codec, level = codec === 'lz4' ? '1' : '3'] = text.split(':');
  if ((codec === 'zstd' && /^\d+$/.test(level)) || (codec === 'lz4' && level === '1')) {
    return { codec, level: Number(level) };
  }
  throw new Error(`not a compression: ${text}; say zstd:3, zstd:1 or lz4`);
}

export function describeCompression({ codec, level }: Compression): string {
  return codec === 'lz4' ? codec : `${codec} ${level}`;
}

const compressZstd = promisify(zstdCompress);

/** Output buffers of this size made the bare compression fastest. */
const chunkSizeBytes = 4 * 1024 * 1024;

/**
 * Seconds that the bare compression of these files takes, the floor for whoever archives them: read into memory before, one file per core
 * at a time, nothing stored.
 */
export async function measureFloor(paths: readonly string[], compression: Compression): Promise<number> {
  const files = paths.map((path) => readFileSync(path));
  const startedAtMs = performance.now();
  await pMap(files, (file) => compress(file, compression), { concurrency: availableParallelism() });
  return (performance.now() - startedAtMs) / 1000;
}

async function compress(file: Buffer, { codec, level }: Compression): Promise<Uint8Array> {
  if (codec === 'lz4') return await compressFrame(file);
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  return await compressZstd(file, { params, chunkSize: chunkSizeBytes });
}

/** Paths of the segments in a data directory. */
export function pathsOf(dataDirectory: string, segments: readonly string[]): string[] {
  return segments.map((name) => join(dataDirectory, 'pg_wal', name));
}

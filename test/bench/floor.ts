import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import pMap from 'p-map';

const compress = promisify(zstdCompress);

/** Seconds that the bare compression of these files takes: read into memory before, one file per core at a time, nothing stored. */
export async function measureFloor(paths: readonly string[], level: number): Promise<number> {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 };
  const files = paths.map((path) => readFileSync(path));
  const startedAtMs = performance.now();
  await pMap(files, (file) => compress(file, { params, chunkSize: 4 * 1024 * 1024 }), {
    concurrency: availableParallelism(),
  });
  return (performance.now() - startedAtMs) / 1000;
}

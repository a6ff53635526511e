import pMap from 'p-map';
import { partFileName } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';
import { type PackSource, packPart } from './pack-part.ts';
import type { PlannedPart } from './plan-parts.ts';
import type { StoredObjects } from './stored-objects.ts';

export interface UploadOptions {
  /** Parts that are written side by side. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  /** Bytes of files that have been read; negative when a part is begun again. */
  readonly onBytes: (sizeBytes: number, path: string) => void;
}

/**
 * Packs, compresses, encrypts and stores the parts. When one fails, the others are stopped; only when all of them have come to rest is the
 * first failure thrown, so that nothing is stored behind the caller's back.
 */
export async function uploadParts(
  repository: Repository,
  objects: StoredObjects,
  parts: readonly PlannedPart[],
  source: Omit<PackSource, 'signal' | 'onRead'>,
  options: UploadOptions,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);

  async function upload(part: PlannedPart): Promise<void> {
    signal.throwIfAborted();
    let readBytes = 0;
    const onRead = (sizeBytes: number, path: string) => {
      readBytes += sizeBytes;
      options.onBytes(sizeBytes, path);
    };
    const pack = () => {
      if (readBytes > 0) onRead(-readBytes, '');
      return packPart(part.files, { ...source, signal, onRead });
    };
    await objects.putPart(partFileName(part.number, repository.codec), pack, signal);
  }

  await pMap(
    parts,
    (part) =>
      upload(part).catch((error: unknown) => {
        failure.abort(error);
      }),
    { concurrency: options.jobs },
  );
  signal.throwIfAborted();
}

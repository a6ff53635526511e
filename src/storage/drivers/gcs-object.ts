import { StoreError } from '../../errors.ts';
import type { ObjectInfo } from '../object-store.ts';
import type { GcsBucket } from './gcs-bucket.ts';

/** What we read of the API's object resource; its numbers are texts. */
export interface GcsObject {
  readonly name?: string | undefined;
  readonly size?: string | undefined;
  /** `2026-11-21T08:20:01.502366Z` */
  readonly updated?: string | undefined;
  /** Base64 of the CRC32C, most significant byte first. */
  readonly crc32c?: string | undefined;
  readonly generation?: string | undefined;
}

/** One page of a listing. */
export interface ObjectPage {
  readonly items?: readonly GcsObject[];
  readonly nextPageToken?: string;
}

/** The fields of {@link GcsObject} for a `fields` parameter. */
export const objectFields = 'name,size,updated';

/** A CRC32C as Google writes it: base64 of its four bytes, most significant first. */
export function formatCrc32c(checksum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}

/** In whole seconds, as the header of a download has the time, so that `head`, `get` and `list` say the same. */
export function infoOf({ name, size, updated }: GcsObject, action: string): ObjectInfo {
  const modifiedMs = updated === undefined ? Number.NaN : Date.parse(updated);
  if (name === undefined || size === undefined || Number.isNaN(modifiedMs)) {
    throw new StoreError(`cannot ${action}: the answer does not say how large or how old the object is`, {
      retryable: true,
    });
  }
  return { key: name, sizeBytes: Number(size), modifiedAt: new Date(Math.floor(modifiedMs / 1000) * 1000) };
}

/**
 * Compares what the service says that it has stored with what was sent. Should it be something else, the object is removed, in
 * just this generation.
 */
export async function requireStored(
  bucket: GcsBucket,
  action: string,
  stored: GcsObject,
  sizeBytes: number,
  checksum: number,
): Promise<void> {
  if (Number(stored.size) === sizeBytes && stored.crc32c === formatCrc32c(checksum)) return;
  const cause = await removeGeneration(bucket, action, stored).catch((error: unknown) => error);
  throw new StoreError(`cannot ${action}: ${sizeBytes} bytes were sent, the service has stored others`, {
    retryable: true,
    cause,
  });
}

async function removeGeneration(bucket: GcsBucket, action: string, { name, generation }: GcsObject): Promise<void> {
  if (name === undefined || generation === undefined) return;
  await bucket.call(action, {
    method: 'DELETE',
    url: `${bucket.objectsUrl}/${encodeURIComponent(name)}`,
    params: { ifGenerationMatch: generation },
  });
}

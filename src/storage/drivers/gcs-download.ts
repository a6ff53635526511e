import type { Readable } from 'node:stream';
import { crc32c } from '@node-rs/crc32';
import { StoreError } from '../../errors.ts';
import { checkRange } from '../byte-range.ts';
import { checkKey } from '../key.ts';
import type { GetOptions, StoredObject } from '../object-store.ts';
import { answerSize } from './answer-size.ts';
import { callObject } from './gcs-absence.ts';
import type { GcsBucket } from './gcs-bucket.ts';
import { formatCrc32c, infoOf } from './gcs-object.ts';
import { type Reception, receiveBody } from './receive-body.ts';

/** Opens one object, see {@link ObjectStore.get}. The answer brings size, time and checksum in headers, so one request will do. */
export async function getObject(
  bucket: GcsBucket,
  key: string,
  { range, signal }: GetOptions = {},
): Promise<StoredObject> {
  checkKey(key);
  if (range !== undefined) checkRange(range);
  const action = `read ${key} from ${bucket.location}`;
  const bytes =
    range === undefined ? {} : { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` };
  const { data: source, headers } = await callObject<Readable>(bucket, key, action, {
    params: { alt: 'media' },
    headers: { 'accept-encoding': 'identity', ...bytes },
    responseType: 'stream',
    signal,
  });
  try {
    const length = headers.get('content-length');
    const contentLength = length === null ? undefined : Number(length);
    const contentRange = headers.get('content-range') ?? undefined;
    const { sizeBytes, bodyBytes } = answerSize(
      { contentLength, contentRange },
      range,
      `${key} from ${bucket.location}`,
    );
    const updated = headers.get('last-modified') ?? undefined;
    const info = infoOf({ name: key, size: String(sizeBytes), updated }, action);
    const check = range === undefined ? checksumCheck(headers, action) : undefined;
    const { idleTimeoutMs } = bucket;
    return { ...info, body: receiveBody(source, { sizeBytes: bodyBytes, idleTimeoutMs, signal, action, check }) };
  } catch (error) {
    source.destroy();
    throw error;
  }
}

/** Compares the bytes of a whole object with `x-goog-hash: crc32c=…,md5=…`. */
function checksumCheck(headers: Headers, action: string): Reception['check'] {
  const expected = /crc32c=([^,\s]+)/.exec(headers.get('x-goog-hash') ?? '')?.[1];
  if (expected === undefined) return undefined;
  let checksum = 0;
  return {
    update(chunk) {
      checksum = crc32c(chunk, checksum);
    },
    end() {
      if (formatCrc32c(checksum) === expected) return;
      throw new StoreError(`cannot ${action}: the bytes that arrived are not those that are stored`, {
        retryable: true,
      });
    },
  };
}

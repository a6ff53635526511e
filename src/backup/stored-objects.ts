import { noneCodec } from '../codec/none.ts';
import type { Context } from '../context.ts';
import { describeError, IntegrityError } from '../errors.ts';
import { backupManifestKey, backupPrefix, partsPrefix, sentinelKey } from '../repository/layout.ts';
import { encodeObject } from '../repository/object-coding.ts';
import type { Repository } from '../repository/repository.ts';
import type { Body } from '../storage/object-store.ts';
import { claimName } from './claim-name.ts';

/** What one backup has stored so far: the parts' total for the sentinel, and the keys, so that a failure leaves nothing behind. */
export interface StoredObjects {
  /** Bytes of all parts as they are stored. */
  readonly partsSizeBytes: number;
  /** Stores a part, given as its tar, compressed and encrypted as the repository is set. */
  putPart(fileName: string, tar: Body, signal: AbortSignal): Promise<void>;
  /** Stores an object that is ours alone, encrypted as the repository is set, and not compressed. */
  putEncrypted(key: string, body: () => AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Stores any other object of the backup as it is. */
  put(key: string, body: Body, signal: AbortSignal): Promise<void>;
  /**
   * Proves that all of it is there, before the sentinel says so: somebody may have taken it for what an interrupted backup has left.
   *
   * @throws {@link IntegrityError} naming an object that is missing, or has another size
   */
  requireAll(signal: AbortSignal): Promise<void>;
  /** Takes away everything that has been stored. What cannot be removed is told to the log, for the failure itself goes first. */
  removeAll(): Promise<void>;
}

/** How long a failed backup takes at most to remove what it has stored. */
const removalDeadlineMs = 60_000;

/**
 * Begins with a backup's objects, the first of which is the claim on its name.
 *
 * @throws {@link AlreadyExistsError} as {@link claimName}
 */
export async function beginObjects(repository: Repository, name: string, context: Context): Promise<StoredObjects> {
  const { store } = repository;
  await claimName(repository, name, context);
  const claim = backupManifestKey(name);
  const keys = new Set<string>();
  const partSizes = new Map<string, number>();

  async function put(key: string, body: Body, signal: AbortSignal): Promise<void> {
    // Before the attempt: one that fails may have stored it nevertheless.
    keys.add(key);
    await store.put(key, body, { signal });
  }
  return {
    get partsSizeBytes() {
      return partSizes.values().reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    },
    put,
    async putEncrypted(key, body, signal) {
      await put(key, () => encodeObject(repository, body(), noneCodec), signal);
    },
    async putPart(fileName, tar, signal) {
      const key = partsPrefix(name) + fileName;
      const encode = () => encodeObject(repository, tar instanceof Uint8Array ? once(tar) : tar());
      await put(key, () => counting(encode(), (sizeBytes) => partSizes.set(key, sizeBytes)), signal);
    },
    async requireAll(signal) {
      const sizes = new Map<string, number>();
      for await (const { key, sizeBytes } of store.list(backupPrefix(name), { signal })) sizes.set(key, sizeBytes);
      for (const key of keys) {
        const sizeBytes = sizes.get(key);
        if (sizeBytes !== undefined && sizeBytes === (partSizes.get(key) ?? sizeBytes)) continue;
        throw new IntegrityError(`${key}, which has been stored in ${store.location}, is not there any more`, {
          hint: 'Find out what removes objects there, such as a deletion on a machine whose clock is wrong, then take the backup again.',
        });
      }
    },
    async removeAll() {
      try {
        const signal = AbortSignal.timeout(removalDeadlineMs);
        const sentinel = sentinelKey(name);
        // The sentinel goes before what it promises, and the claim last: whoever takes the name next must not lose what he stores.
        if (keys.has(sentinel)) await store.delete([sentinel], { signal });
        await store.delete(
          [...keys].filter((key) => key !== claim),
          { signal },
        );
        await store.delete([claim], { signal });
      } catch (error) {
        const fields = { prefix: backupPrefix(name), cause: describeError(error) };
        context.log.warn(fields, 'objects of the failed backup are left behind');
      }
    },
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  onEnd: (sizeBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    yield chunk;
  }
  onEnd(sizeBytes);
}

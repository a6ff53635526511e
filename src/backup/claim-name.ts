import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { AlreadyExistsError } from '../errors.ts';
import { backupManifestKey, backupPrefix, sentinelKey } from '../repository/layout.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * Takes a backup's name, so that of several backups that begin under one name exactly one goes on: two that start within one
 * segment have one name. The claim lies where the manifest will replace it at the end, and says who is at work until then.
 *
 * @throws {@link AlreadyExistsError} when there is a backup of that name, or one that is being taken or was left behind
 */
export async function claimName({ store }: Repository, name: string, context: Context): Promise<void> {
  const { signal } = context;
  const key = backupManifestKey(name);
  const claim = { backup: name, host: hostname(), since: context.clock.now(), id: randomUUID() };
  const bytes = Buffer.from(JSON.stringify(claim));
  try {
    await store.put(key, bytes, { ifAbsent: true, signal });
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    // A first attempt may have stored it although its answer was lost.
    const stored = Buffer.concat(await Array.fromAsync((await store.get(key, { signal })).body));
    if (!stored.equals(bytes)) throw taken(store.location, key, error);
  }
  for (const prefix of [sentinelKey(name), backupPrefix(name)]) {
    for await (const object of store.list(prefix, { signal })) {
      if (object.key === key) continue;
      await store.delete([key]);
      throw taken(store.location, object.key);
    }
  }

  function taken(location: string, taker: string, cause?: unknown): AlreadyExistsError {
    return new AlreadyExistsError(`backup ${name} exists already in ${location}, or is being taken: ${taker}`, {
      cause,
      hint: 'Wait for the other backup to end, then try again; do not let two clusters share a repository.',
    });
  }
}

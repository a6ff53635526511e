import { closeSync, fsync } from 'node:fs';
import { promisify } from 'node:util';
import { fileError } from '../util/file-error.ts';

/**
 * Files that are written but not yet on disk. They are synced behind the writer's back, several at a time: file systems put the
 * waiting ones into one journal commit, and the next file is unpacked meanwhile.
 */
export interface FileSyncs {
  /** Takes over a written file by its descriptor, to sync and close it; waits while too many are under way. */
  add(descriptor: number, path: string): Promise<void>;
  /** Waits for all of them. @throws the first failure */
  settle(): Promise<void>;
}

/** Open files at a time; more of them gained nothing. */
const concurrency = 16;

const sync = promisify(fsync);

export function createFileSyncs(): FileSyncs {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = () => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    async add(descriptor, path) {
      const syncing = syncAndClose(descriptor, path)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(syncing));
      running.add(syncing);
      while (running.size >= concurrency) await Promise.race(running);
      throwFailure();
    },
    async settle() {
      await Promise.all(running);
      throwFailure();
    },
  };
}

async function syncAndClose(descriptor: number, path: string): Promise<void> {
  try {
    await sync(descriptor);
  } catch (error) {
    throw fileError(`cannot write ${path}`, path, error);
  } finally {
    closeSync(descriptor);
  }
}

import type { FileHandle } from 'node:fs/promises';
import { fileError } from '../util/file-error.ts';

/**
 * Files that are written but not yet on disk. They are synced behind the writer's back, several at a time: file systems put the
 * waiting ones into one journal commit, and the next file is unpacked meanwhile.
 */
export interface FileSyncs {
  /** Takes a written file over, to sync and close it; waits while too many are under way. */
  add(handle: FileHandle, path: string): Promise<void>;
  /** Waits for all of them. @throws the first failure */
  settle(): Promise<void>;
}

/** Open files at a time; more of them gained nothing. */
const concurrency = 16;

export function createFileSyncs(): FileSyncs {
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const throwFailure = () => {
    if (failure !== undefined) throw failure.error;
  };
  return {
    async add(handle, path) {
      const sync = syncAndClose(handle, path)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(sync));
      running.add(sync);
      while (running.size >= concurrency) await Promise.race(running);
      throwFailure();
    },
    async settle() {
      await Promise.all(running);
      throwFailure();
    },
  };
}

async function syncAndClose(handle: FileHandle, path: string): Promise<void> {
  try {
    await handle.sync();
  } catch (error) {
    throw fileError(`cannot write ${path}`, path, error);
  } finally {
    await handle.close();
  }
}

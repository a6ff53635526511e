import { watch } from 'node:fs';
import type { Clock } from '../context.ts';

/** Tells when something in one of several directories changes, or a file. */
export interface FolderWatch extends Disposable {
  /**
   * Resolves at the next change since the last call, also one that has been already, or when the time has passed, or when the signal is
   * aborted.
   */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** Watches directories, not those in them, and files. Where the system has no watch to spare, only the time-out wakes who waits. */
export function watchFolders(paths: readonly string[], clock: Clock): FolderWatch {
  let hasChanged = false;
  let wake = (): void => undefined;
  const onChange = (): void => {
    hasChanged = true;
    wake();
  };
  const stops = paths.map((path) => startWatch(path, onChange));
  return {
    async next(timeoutMs, signal) {
      const { promise: changed, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (!hasChanged) {
        const awake = new AbortController();
        const timeout = clock.sleep(timeoutMs, AbortSignal.any([signal, awake.signal])).catch(() => undefined);
        await Promise.race([changed, timeout]);
        awake.abort();
      }
      hasChanged = false;
    },
    [Symbol.dispose]: () => {
      for (const stop of stops) stop();
    },
  };
}

function startWatch(path: string, onChange: () => void): () => void {
  try {
    const watcher = watch(path, onChange);
    // It ends when the directory goes or the system has no room for it.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

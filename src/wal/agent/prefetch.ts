import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { Repository } from '../../repository/repository.ts';
import { watchFolders } from '../../util/watch-folders.ts';
import { readCluster } from '../cluster.ts';
import { fetchWalOnce } from '../fetch.ts';
import type { Half } from '../spool.ts';
import { claim, release } from '../spool-claims.ts';
import type { Activity } from './activity.ts';
import type { PrefetchWindow } from './plan-prefetch.ts';
import { createPrefetchQueue } from './prefetch-queue.ts';
import { sideBySide } from './side-by-side.ts';

export interface PrefetchOptions {
  readonly half: Half;
  readonly dataDirectory: string;
  /** How many segments are fetched side by side. */
  readonly jobs: number;
  readonly window: PrefetchWindow;
  readonly activity: Activity;
}

/**
 * Fetches the segments that recovery will ask for next, until the context is aborted: as wal-fetch does, verified alike, into
 * `fetched/`, from where the launcher renames them to their destination. What is not needed after all is removed.
 *
 * A failure is nobody's concern here: the call that asks for the segment finds out itself.
 *
 * @throws the system's error when the spool can no longer be used
 */
export async function prefetch(repository: Repository, options: PrefetchOptions, context: Context): Promise<void> {
  const { half, dataDirectory, jobs, window, activity } = options;
  const cluster = await readCluster(dataDirectory, { acceptUnknown: true, signal: context.signal });
  if (cluster === undefined) return;
  using changes = watchFolders([half.path, join(half.path, 'fetched')], context.clock);
  const { segmentSizeBytes } = cluster;
  const queue = createPrefetchQueue(repository, { half, window, segmentSizeBytes, changes }, context);

  const fetch = async (fileName: string): Promise<void> => {
    if (!(await claim(half, fileName))) return queue.failed(fileName);
    using _busy = activity.begin();
    try {
      const destination = join(half.path, 'fetched', fileName);
      await fetchWalOnce(repository, { fileName, destination, dataDirectory, isDurable: false }, context);
      queue.succeeded(fileName);
    } catch (error) {
      if (!context.signal.aborted) context.log.debug({ err: error, fileName }, 'could not prefetch');
      queue.failed(fileName);
    } finally {
      await release(half, fileName);
    }
  };
  await sideBySide(queue.files(), jobs, fetch);
}

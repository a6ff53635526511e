import { join } from 'node:path';
import type { Context, Logger } from '../../context.ts';
import type { Repository } from '../../repository/repository.ts';
import { watchFolders } from '../../util/watch-folders.ts';
import { type PushResult, pushWal } from '../push.ts';
import type { Half } from '../spool.ts';
import { release } from '../spool-claims.ts';
import { isNotedPushed, type KeptWarning, noteFailed, notePushed } from '../spool-notes.ts';
import type { Activity } from './activity.ts';
import { archiveStatusDirectory, isReady } from './ready-files.ts';
import { createReadyQueue, type ReadyQueue } from './ready-queue.ts';
import { sideBySide } from './side-by-side.ts';
import { createStoredFiles } from './stored-files.ts';

export interface PushAheadOptions {
  readonly half: Half;
  readonly dataDirectory: string;
  /** How many files are pushed side by side. */
  readonly jobs: number;
  /** A push that takes longer is given up. */
  readonly deadlineMs: number;
  /** A failure as PostgreSQL's log is to show it. */
  readonly describe: (error: unknown) => string;
  readonly activity: Activity;
}

/**
 * Pushes what waits for archive_command, in its order, before PostgreSQL asks for it, until the context is aborted: takes each file
 * by a claim, pushes it as wal-push does, and leaves a note, of success or of the failure. After a failure nothing behind that file
 * is begun until it is through: PostgreSQL cannot go on without it either.
 *
 * @throws the system's error when the spool can no longer be written, or archive_status no longer be read
 */
export async function pushAhead(repository: Repository, options: PushAheadOptions, context: Context): Promise<void> {
  const { half, dataDirectory, jobs } = options;
  using changes = watchFolders([archiveStatusDirectory(dataDirectory)], context.clock);
  const queue = createReadyQueue({ half, dataDirectory, changes }, context);
  const findStored = createStoredFiles(repository, context.clock);

  const push = async (fileName: string): Promise<void> => {
    using _busy = options.activity.begin();
    try {
      if (await isNotedPushed(half, fileName)) return;
      const warnings: KeptWarning[] = [];
      const path = join(dataDirectory, 'pg_wal', fileName);
      const result = await attempt(queue, fileName, options, context, () =>
        pushWal(
          repository,
          { path, dataDirectory, deadlineMs: options.deadlineMs, findStored },
          { ...context, log: keepWarnings(context.log, warnings) },
        ),
      );
      if (result === undefined) return;
      await notePushed(half, fileName, { modifiedAt: result.modifiedAt, warnings });
      queue.succeeded(fileName);
    } finally {
      await release(half, fileName);
    }
  };
  await sideBySide(queue.files(), jobs, push);
}

/** The result of a push; after a failure undefined, and then everything about it has been noted. */
async function attempt(
  queue: ReadyQueue,
  fileName: string,
  { half, dataDirectory, describe }: PushAheadOptions,
  { signal }: Context,
  push: () => Promise<PushResult>,
): Promise<PushResult | undefined> {
  try {
    return await push();
  } catch (error) {
    // Somebody else has pushed it meanwhile, so that PostgreSQL has taken the file away.
    if (signal.aborted || !(await isReady(dataDirectory, fileName))) return undefined;
    await noteFailed(half, fileName, describe(error));
    queue.failed(fileName);
    return undefined;
  }
}

function keepWarnings(log: Logger, warnings: KeptWarning[]): Logger {
  return {
    ...log,
    warn: (fields, message) => {
      warnings.push({ fields, message });
      log.warn(fields, message);
    },
  };
}

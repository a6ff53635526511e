import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { describeError, type IntegrityError } from '../errors.ts';
import { type BackupRecord, type DamagedBackup, listBackups } from '../repository/backup-catalogue.ts';
import { type BackupChain, chainOf, chainProblem } from '../repository/backup-chain.ts';
import type { Repository } from '../repository/repository.ts';
import { chooseBackup } from './choose-backup.ts';
import { checkTimelines, timelineFor } from './choose-timeline.ts';
import { claimDirectories, freeBytesAt, inspectDirectory, realPathOf } from './destination.ts';
import { finishRestore } from './finish.ts';
import { inspectBackup } from './inspect-backup.ts';
import { nextSteps } from './next-steps.ts';
import { planRestore, type RestoreOptions, type RestorePlan } from './plan.ts';
import { readTimelines } from './read-timelines.ts';
import { unpackBackup } from './unpack-backup.ts';

/** A cluster that has been laid down and waits to be started. */
export interface RestoreResult {
  readonly plan: RestorePlan;
  /** Bytes of the files that were written. */
  readonly sizeBytes: number;
  readonly durationMs: number;
  /** Lines of the backup's postgresql.auto.conf that had to go, such as the settings of an earlier recovery. */
  readonly removedSettings: readonly string[];
  /** What to run next, a line each. */
  readonly next: readonly string[];
}

/**
 * Restores a backup into an absent or empty directory and prepares its recovery; the server is not started. When it resolves,
 * everything is on disk. When it fails or is aborted, it removes what it made, and the same call can be made again; killed in the
 * middle it leaves a directory in which no server starts.
 *
 * @throws {@link NotFoundError}, {@link UsageError} when there is no such backup, or it does not serve the target
 * @throws {@link LocalFileError}, {@link PermissionError} when a directory is not empty, or cannot be written
 * @throws {@link IntegrityError} naming the object, when the backup is damaged or incomplete
 */
export async function restoreBackup(
  repository: Repository,
  options: RestoreOptions,
  context: Context,
): Promise<RestoreResult> {
  const startedAtMs = context.clock.now().getTime();
  const plan = await prepareRestore(repository, options, context);
  const { sizeBytes, removedSettings } = await carryOut(repository, plan, options.onProgress, context);
  const durationMs = context.clock.now().getTime() - startedAtMs;
  context.log.info({ backup: plan.backup.name, directory: plan.directory, sizeBytes, durationMs }, 'backup restored');
  return { plan, sizeBytes, durationMs, removedSettings, next: await nextSteps(plan) };
}

/** Finds out what a restore with these options would do, and writes nothing. Throws as {@link restoreBackup} before its first write. */
export async function prepareRestore(
  repository: Repository,
  options: RestoreOptions,
  context: Context,
): Promise<RestorePlan> {
  const { signal } = context;
  const { location } = repository.store;
  const directory = await realPathOf(options.directory);
  await inspectDirectory(directory, 'destination');

  const { backups, chainFor } = await listRestorableBackups(repository, options.backup, context);
  const timelines = backups.map((backup) => backup.timeline);
  const histories = await readTimelines(repository, timelines, options.target.timeline, { signal });
  const backup = chooseBackup(backups, options.backup, options.target, histories, location);
  const chain = chainFor(backup);
  checkTimelines(chain, histories);
  const timeline = timelineFor(backup, options.target.timeline, histories);
  const contents = await inspectBackup(repository, chain, { signal });

  const freeBytes = await freeBytesAt(directory);
  const here = { directory, hostname: hostname(), now: context.clock.now(), freeBytes };
  const plan = planRestore({ location, chain, contents, timeline, ...here }, options);
  for (const tablespace of plan.tablespaces) {
    await inspectDirectory(tablespace.location, `tablespace ${tablespace.oid}`);
  }
  return plan;
}

async function carryOut(
  repository: Repository,
  plan: RestorePlan,
  onProgress: RestoreOptions['onProgress'],
  context: Context,
): Promise<Pick<RestoreResult, 'sizeBytes' | 'removedSettings'>> {
  const begunAt = context.clock.now().toISOString();
  const mark = `restore of ${plan.backup.name} from ${plan.location}, begun at ${begunAt}\n`;
  const claim = await claimDirectories(directoriesOf(plan), mark);
  try {
    const unpacked = await unpackBackup(repository, plan, onProgress, context);
    const removedSettings = await finishRestore(plan, unpacked, claim, context);
    return { sizeBytes: unpacked.sizeBytes, removedSettings };
  } catch (error) {
    await claim.undo().catch((failure: unknown) => {
      context.log.warn({ cause: describeError(failure) }, 'files of the failed restore are left behind');
    });
    throw error;
  }
}

interface RestorableBackups {
  readonly backups: readonly BackupRecord[];
  readonly chainFor: (backup: BackupRecord) => BackupChain;
}

/**
 * A damaged backup, or a delta whose chain is broken, does not keep others from being restored; the one that was asked for by its name is
 * an error.
 */
async function listRestorableBackups(
  repository: Repository,
  wanted: string,
  { signal, log }: Context,
): Promise<RestorableBackups> {
  const damaged = new Map<string, IntegrityError>();
  const leaveOut = (name: string, error: IntegrityError) => {
    if (name === wanted) throw error;
    log.warn({ backup: name, cause: describeError(error) }, 'a damaged backup is left out of consideration');
  };
  const onDamaged = ({ name, error }: DamagedBackup) => {
    damaged.set(name, error);
    leaveOut(name, error);
  };
  const readable = await listBackups(repository, { signal, onDamaged });
  const lookup = { backups: new Map(readable.map((backup) => [backup.name, backup])), damaged };
  const backups = readable.filter((backup) => {
    const problem = chainProblem(backup, lookup);
    if (problem !== undefined) leaveOut(backup.name, problem);
    return problem === undefined;
  });
  return { backups, chainFor: (backup) => chainOf(backup, lookup) };
}

function directoriesOf({ directory, tablespaces }: RestorePlan): string[] {
  return [directory, ...tablespaces.map(({ location }) => location)];
}

import { NotFoundError, UsageError } from '../errors.ts';
import { formatLsn } from '../postgres/lsn.ts';
import type { RecoveryTarget } from '../postgres/recovery-target.ts';
import type { BackupRecord } from '../repository/backup-catalogue.ts';
import { checkTimelineExists, type TimelineHistories, timelineFor, whyUnreachable } from './choose-timeline.ts';
import { describeStop } from './describe-target.ts';

/**
 * Chooses the backup from which a target can be reached: the one of that name, or with `LATEST` the newest that serves. A backup
 * serves when it had ended before the target (by time or LSN; the WAL is not searched for names and transactions) and when it
 * lies on the target timeline's line of ancestors.
 *
 * @param backups - the newest last
 * @param location - of the repository, for messages
 * @throws {@link NotFoundError} when there is no such backup, or none that serves
 * @throws {@link UsageError} when the named one does not serve; the hint names the newest that does
 */
export function chooseBackup(
  backups: readonly BackupRecord[],
  nameOrLatest: string,
  target: RecoveryTarget,
  histories: TimelineHistories,
  location: string,
): BackupRecord {
  checkTimelineExists(target.timeline, histories);
  const newestThatServes = backups.findLast((backup) => whyUnfit(backup, target, histories) === undefined);
  if (nameOrLatest === 'LATEST') {
    if (newestThatServes !== undefined) return newestThatServes;
    throw noneServes(backups, target, histories, location);
  }
  const named = backups.find((backup) => backup.name === nameOrLatest);
  if (named === undefined) {
    throw new NotFoundError(`no backup ${JSON.stringify(nameOrLatest)} in ${location}`, {
      hint: "See which there are with 'seawall list'.",
    });
  }
  const reason = whyUnfit(named, target, histories);
  if (reason === undefined) return named;
  throw new UsageError(`cannot recover from ${named.name} to ${describeStop(target.stop)}: ${reason}`, {
    hint:
      newestThatServes === undefined
        ? 'No backup in the repository serves; choose a later target.'
        : `Restore ${newestThatServes.name}, the newest backup that serves.`,
  });
}

/** Why recovery cannot begin with this backup, as the end of a sentence; undefined when it can. */
function whyUnfit(backup: BackupRecord, target: RecoveryTarget, histories: TimelineHistories): string | undefined {
  const { stop } = target;
  if (stop.kind === 'time' && !(endOf(backup) < stop.time.at)) {
    return `the backup ended at ${endOf(backup).toISOString()}, not before it`;
  }
  if (stop.kind === 'lsn' && backup.finishLsn > stop.lsn) {
    return `the backup ended at ${formatLsn(backup.finishLsn)}, behind it`;
  }
  return whyUnreachable(backup, timelineFor(backup, target.timeline, histories), histories);
}

/** WAL-G's first generation kept no time: the sentinel was stored soon after the end. */
function endOf(backup: BackupRecord): Date {
  return backup.finishedAt ?? backup.modifiedAt;
}

function noneServes(
  backups: readonly BackupRecord[],
  target: RecoveryTarget,
  histories: TimelineHistories,
  location: string,
): NotFoundError {
  const [oldest] = backups;
  if (oldest === undefined) {
    return new NotFoundError(`no backup in ${location}`, { hint: "Take one with 'seawall basebackup'." });
  }
  return new NotFoundError(`no backup in ${location} serves to recover to ${describeStop(target.stop)}`, {
    hint: `The oldest is ${oldest.name}, and ${whyUnfit(oldest, target, histories)}.`,
  });
}

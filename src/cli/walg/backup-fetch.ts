import { UsageError } from '../../errors.ts';
import { parseRecoveryTarget } from '../../postgres/recovery-target.ts';
import { type BackupRecord, findBackup, listBackups } from '../../repository/backup-catalogue.ts';
import { findByUserData } from '../../repository/find-by-user-data.ts';
import type { Repository } from '../../repository/repository.ts';
import { restoreBackup } from '../../restore/restore.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { textOption } from '../option-values.ts';
import { withProgress } from '../progress.ts';
import { parseJsonOption } from './json-option.ts';
import { readRestoreSpec } from './restore-spec.ts';

/** The most parts that are fetched side by side, whatever WALG_DOWNLOAD_CONCURRENCY says. */
const mostJobs = 64;

/** A backup back on disk. Recovery is not prepared: scripts that call WAL-G write its settings themselves. */
export const backupFetchCommand: CommandDefinition = {
  name: 'backup-fetch',
  arguments: [
    { notation: '<directory>', description: 'the data directory to be; absent or empty' },
    { notation: '[backup]', description: 'its name, or LATEST' },
  ],
  summary: 'lay the files of a backup down, without recovery settings',
  description:
    'Write restore_command and recovery.signal yourself before you start the server, as with WAL-G; `seawall restore` does it for you. Every file is checked, none is overwritten, and a backup that fails a check leaves nothing behind.',
  settings: [],
  options: [
    { flags: '--target-user-data <json>', description: 'the backup with these user data, instead of a name' },
    { flags: '--restore-spec <path>', description: 'file that says where the tablespaces go (JSON)' },
    { flags: '--reverse-unpack', description: 'no effect: every page is written once in any case' },
    { flags: '--skip-redundant-tars', description: 'no effect: parts that are not needed are never fetched' },
    { flags: '--mask <pattern>', description: 'not supported' },
    { flags: '--restore-only <names>', description: 'not supported' },
  ],
  examples: ['wal-g backup-fetch /var/lib/postgresql/18/restored LATEST'],
  async run(call) {
    refusePartialRestore(call);
    const [directory = ''] = call.args;
    await using repository = await call.openRepository();
    const backup = await chooseBackup(repository, call);
    const specPath = textOption(call, 'restoreSpec');
    const options = {
      backup: backup.name,
      directory,
      target: parseRecoveryTarget({ timeline: 'current' }),
      recovery: 'leave',
      standby: false,
      restoreCommand: '',
      archiveMode: 'keep',
      tablespaceMappings: specPath ? await readRestoreSpec(specPath, backup) : [],
      jobs: jobsOf(call),
    } as const;
    await withProgress('restoring', call.context, (onProgress) =>
      restoreBackup(repository, { ...options, onProgress }, call.context),
    );
    call.context.log.info({}, 'Backup extraction complete.');
  },
};

function refusePartialRestore(call: CommandCall): void {
  for (const [name, flag] of [
    ['mask', '--mask'],
    ['restoreOnly', '--restore-only'],
  ] as const) {
    if (!textOption(call, name)) continue;
    throw new UsageError(`${flag} is not supported: only whole backups are restored`, {
      hint: 'Restore the whole backup elsewhere, and take from there what you need.',
    });
  }
}

async function chooseBackup(repository: Repository, call: CommandCall): Promise<BackupRecord> {
  const { signal } = call.context;
  const [, name] = call.args;
  const userData = textOption(call, 'targetUserData') || call.environment['WALG_FETCH_TARGET_USER_DATA'];
  if (Boolean(name) === Boolean(userData)) {
    throw new UsageError(name ? 'a backup by name and by user data' : 'no backup named', {
      hint: 'Give its name or LATEST, or --target-user-data.',
    });
  }
  if (!userData) return await findBackup(repository, name ?? '', { signal });
  return findByUserData(parseJsonOption(userData, '--target-user-data'), await listBackups(repository, { signal }));
}

/** WAL-G's WALG_DOWNLOAD_CONCURRENCY counts parts here; in wal-fetch it is the depth of the prefetch. */
function jobsOf({ environment, settings }: CommandCall): number {
  const concurrency = Number(environment['WALG_DOWNLOAD_CONCURRENCY']);
  return concurrency >= 1 ? Math.min(Math.floor(concurrency), mostJobs) : settings.jobs;
}

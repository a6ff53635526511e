import { type PushBackupOptions, type PushedBackup, pushBackup } from '../backup/push.ts';
import type { CommandCall } from './command.ts';
import { withProgress } from './progress.ts';

/** What a command line says of a backup besides the settings. */
export type BackupWishes = Pick<PushBackupOptions, 'strict' | 'isPermanent' | 'userData' | 'withoutFilesMetadata'>;

/** Takes a base backup into the repository of the call, with progress. Throws as {@link pushBackup} does. */
export async function takeBackup(call: CommandCall, wishes: BackupWishes): Promise<PushedBackup> {
  const { settings, context } = call;
  await using repository = await call.openRepository();
  const options = {
    environment: call.environment,
    dataDirectory: call.args[0],
    jobs: settings.jobs,
    partSizeBytes: settings.partSize,
    manifestChecksum: settings.manifestChecksum,
    walDeadlineMs: settings.walDeadline,
    withoutFilesMetadata: settings.withoutFilesMetadata,
    withoutRelationNames: settings.withoutRelationNames,
    ...wishes,
  };
  return await withProgress('backing up', context, (onProgress) =>
    pushBackup(repository, { ...options, onProgress }, context),
  );
}

import { copyRepository } from '../../copy/copy.ts';
import { UsageError } from '../../errors.ts';
import { formatBytes } from '../../util/bytes.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption, textOption } from '../option-values.ts';
import { openOtherRepository } from '../other-repository.ts';
import { withProgress } from '../progress.ts';

/** A repository, or one backup of it, in a second place. */
export const copyCommand: CommandDefinition = {
  name: 'copy',
  arguments: [],
  summary: 'copy everything, or one backup with its WAL, to another repository',
  description:
    'Copies the stored bytes as they are, so that the copy is read with the keys of the source. What is there already with the same size is skipped, and nothing is ever overwritten.',
  settings: [],
  options: [
    { flags: '-f, --from <where>', description: 'URL of the source, or a configuration file that names it' },
    { flags: '-t, --to <where>', description: 'URL of the destination, or a configuration file that names it' },
    { flags: '-b, --backup-name <backup>', description: 'only this backup (or LATEST), with what it stands on' },
    {
      flags: '-w, --without-history',
      description: 'with a backup: of the WAL only what makes it consistent, and not what came later',
    },
  ],
  examples: [
    'seawall copy --from s3://bucket/prefix --to file:///mnt/tape',
    'seawall copy --from /etc/seawall/config.yaml --to /etc/seawall/second.yaml --backup-name LATEST',
  ],
  async run(call) {
    const [from, to] = [required(call, 'from'), required(call, 'to')];
    const backup = textOption(call, 'backupName');
    const onlyToConsistency = switchOption(call, 'withoutHistory');
    if (onlyToConsistency && backup === undefined) {
      throw new UsageError('--without-history goes with --backup-name only', {
        hint: 'Name the backup of which the WAL is to be cut short.',
      });
    }
    await using source = await openOtherRepository(call, from);
    await using destination = await openOtherRepository(call, to);
    const { copiedCount, copiedBytes, skippedCount } = await withProgress('copying', call.context, (onProgress) =>
      copyRepository(source, destination, { backup, onlyToConsistency, onProgress }, call.context),
    );
    const skipped = skippedCount === 0 ? '' : `; ${skippedCount} were there already`;
    call.context.log.info(
      {},
      `Success copy: ${copiedCount} objects, ${formatBytes(copiedBytes)}, to ${destination.store.location}${skipped}`,
    );
  },
};

function required(call: CommandCall, name: 'from' | 'to'): string {
  const value = textOption(call, name);
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`--${name} is missing`, {
    hint: 'Say from where and to where: copy --from <where> --to <where>.',
  });
}

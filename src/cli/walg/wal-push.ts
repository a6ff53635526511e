import type { CommandDefinition } from '../command.ts';
import { walPushCommand as ours } from '../commands/wal-push.ts';

/** `archive_command = 'wal-g wal-push "%p"'` */
export const walPushCommand: CommandDefinition = {
  ...ours,
  examples: [`archive_command = 'wal-g wal-push "%p"'`],
};

import type { CommandDefinition } from '../command.ts';
import { walFetchCommand as ours } from '../commands/wal-fetch.ts';

/** `restore_command = 'wal-g wal-fetch "%f" "%p"'` */
export const walFetchCommand: CommandDefinition = {
  ...ours,
  examples: [`restore_command = 'wal-g wal-fetch "%f" "%p"'`],
};

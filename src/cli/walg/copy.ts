import type { CommandDefinition } from '../command.ts';
import { copyCommand as ours } from '../commands/copy.ts';

/** A copy from one of WAL-G's configuration files to another. */
export const copyCommand: CommandDefinition = {
  ...ours,
  examples: ['wal-g copy --from ~/.walg.json --to /etc/wal-g/second.json --backup-name LATEST'],
};

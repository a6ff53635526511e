import type { CommandDefinition } from '../command.ts';
import { deleteCommand as ours } from '../commands/delete.ts';

/** Retention, in WAL-G's words. */
export const deleteCommand: CommandDefinition = {
  ...ours,
  examples: ['wal-g delete retain FULL 7', 'wal-g delete before FIND_FULL 2026-01-02T00:00:00Z --confirm'],
};

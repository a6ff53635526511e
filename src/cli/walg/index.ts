import type { CommandDefinition } from '../command.ts';

/** Every command of WAL-G's by name, in the order of the help. Only the one that is called is loaded. */
export const walgCommands: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  'wal-push': async () => (await import('./wal-push.ts')).walPushCommand,
  'wal-fetch': async () => (await import('./wal-fetch.ts')).walFetchCommand,
  delete: async () => (await import('../commands/delete.ts')).deleteCommand,
  agent: async () => (await import('../commands/agent.ts')).agentCommand,
};

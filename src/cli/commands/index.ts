import type { CommandDefinition } from '../command.ts';

/** Every command by name, in the order of the help. Only the one that is called is loaded. */
export const commands: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  'wal-push': async () => (await import('./wal-push.ts')).walPushCommand,
  'wal-fetch': async () => (await import('./wal-fetch.ts')).walFetchCommand,
  agent: async () => (await import('./agent.ts')).agentCommand,
  basebackup: async () => (await import('./basebackup.ts')).basebackupCommand,
  restore: async () => (await import('./restore.ts')).restoreCommand,
  list: async () => (await import('./list.ts')).listCommand,
  show: async () => (await import('./show.ts')).showCommand,
  delete: async () => (await import('./delete.ts')).deleteCommand,
  copy: async () => (await import('./copy.ts')).copyCommand,
  config: async () => (await import('./config.ts')).configCommand,
};

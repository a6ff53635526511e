import type { CommandDefinition } from '../command.ts';

/** Every command of WAL-G's by name, in the order of the help. Only the one that is called is loaded. */
export const walgCommands: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  'wal-push': async () => (await import('./wal-push.ts')).walPushCommand,
  'wal-fetch': async () => (await import('./wal-fetch.ts')).walFetchCommand,
  'wal-prefetch': async () => (await import('./wal-prefetch.ts')).walPrefetchCommand,
  'backup-push': async () => (await import('./backup-push.ts')).backupPushCommand,
  'backup-fetch': async () => (await import('./backup-fetch.ts')).backupFetchCommand,
  'backup-list': async () => (await import('./backup-list.ts')).backupListCommand,
  'backup-show': async () => (await import('./backup-show.ts')).backupShowCommand,
  'backup-mark': async () => (await import('./backup-mark.ts')).backupMarkCommand,
  delete: async () => asWalg((await import('./delete.ts')).deleteCommand),
  copy: async () => asWalg((await import('./copy.ts')).copyCommand),
  'wal-show': async () => (await import('./wal-show.ts')).walShowCommand,
  'wal-verify': async () => (await import('./wal-verify.ts')).walVerifyCommand,
  'wal-restore': async () => (await import('./wal-restore.ts')).walRestoreCommand,
  st: async () => (await import('./st.ts')).stCommand,
  daemon: async () => (await import('./daemon.ts')).daemonCommand,
  agent: async () => (await import('../commands/agent.ts')).agentCommand,
};

/** A command of our own that WAL-G has, too: its examples under the other name. */
function asWalg(definition: CommandDefinition): CommandDefinition {
  return { ...definition, examples: definition.examples.map((line) => line.replace(/^seawall /, 'wal-g ')) };
}

import { markBackup } from '../../repository/mark-backup.ts';
import type { CommandDefinition } from '../command.ts';
import { switchOption } from '../option-values.ts';

/** Keeps a backup from being deleted, or lets go of it. */
export const backupMarkCommand: CommandDefinition = {
  name: 'backup-mark',
  arguments: [{ notation: '<backup>', description: 'its name, or LATEST' }],
  summary: 'make a backup permanent, or impermanent with -i',
  description:
    'A permanent backup, with the backups that it stands on, is left alone by delete. A backup on which a permanent one stands cannot be made impermanent.',
  settings: [],
  options: [{ flags: '-i, --impermanent', description: 'make it impermanent' }],
  examples: ['wal-g backup-mark LATEST', 'wal-g backup-mark -i base_000000010000000000000002'],
  async run(call) {
    const isPermanent = !switchOption(call, 'impermanent');
    const { signal, log } = call.context;
    await using repository = await call.openRepository();
    const names = await markBackup(repository, call.args[0] ?? '', isPermanent, { signal });
    const word = isPermanent ? 'permanent' : 'impermanent';
    if (names.length === 0) log.info({}, `Backup ${call.args[0]} is ${word} already`);
    for (const name of names) log.info({}, `Backup ${name} is ${word} now`);
  },
};

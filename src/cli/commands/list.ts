import type { IntegrityError } from '../../errors.ts';
import { listBackups } from '../../repository/backup-catalogue.ts';
import { chainProblem } from '../../repository/backup-chain.ts';
import { backupAsJson, backupAsRow, listHeadings } from '../backup-description.ts';
import type { CommandDefinition } from '../command.ts';
import { formatJson, formatTable } from '../output.ts';

/** The backups in the repository, the newest last. */
export const listCommand: CommandDefinition = {
  name: 'list',
  arguments: [],
  summary: 'list the backups, the newest last',
  settings: [],
  options: [{ flags: '--json', description: 'print one JSON document' }],
  examples: ['seawall list', 'seawall list --json'],
  async run(call) {
    await using repository = await call.openRepository();
    const damaged = new Map<string, IntegrityError>();
    const records = await listBackups(repository, {
      signal: call.context.signal,
      onDamaged({ name, error }) {
        damaged.set(name, error);
        call.context.log.warn({ backup: name, err: error }, 'backup cannot be read');
      },
    });
    const lookup = { backups: new Map(records.map((backup) => [backup.name, backup])), damaged };
    const backups = records.map((backup) => ({ backup, chainProblem: chainProblem(backup, lookup) }));
    if (call.options['json']) {
      call.print(formatJson({ repository: repository.store.location, backups: backups.map(backupAsJson) }));
    } else if (backups.length === 0) {
      call.context.log.info({}, `no backups in ${repository.store.location}`);
    } else {
      call.print(formatTable(listHeadings, backups.map(backupAsRow)));
    }
  },
};

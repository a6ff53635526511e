import { findBackup } from '../../repository/backup-catalogue.ts';
import { backupAsJson, backupAsPairs } from '../backup-description.ts';
import type { CommandDefinition } from '../command.ts';
import { formatJson } from '../output.ts';

/** Everything about one backup. */
export const showCommand: CommandDefinition = {
  name: 'show',
  arguments: [{ notation: '<backup>', description: 'its name, or LATEST' }],
  summary: 'show one backup',
  settings: [],
  options: [{ flags: '--json', description: 'print one JSON document' }],
  examples: ['seawall show LATEST', 'seawall show base_000000010000000000000002 --json'],
  async run(call) {
    const [name = ''] = call.args;
    await using repository = await call.openRepository();
    const backup = await findBackup(repository, name, { signal: call.context.signal });
    if (call.options['json']) {
      call.print(formatJson(backupAsJson(backup)));
      return;
    }
    const pairs = backupAsPairs(backup);
    const width = Math.max(...pairs.map(([word]) => word.length));
    call.print(pairs.map(([word, value]) => `${word.padEnd(width)}  ${value}`).join('\n'));
  },
};

import { findBackup } from '../../repository/backup-catalogue.ts';
import { chainProblem, readChainLookup } from '../../repository/backup-chain.ts';
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
    const { signal } = call.context;
    const backup = await findBackup(repository, name, { signal });
    const described = {
      backup,
      chainProblem: chainProblem(backup, await readChainLookup(repository, backup, { signal })),
    };
    if (call.options['json']) {
      call.print(formatJson(backupAsJson(described)));
      return;
    }
    const pairs = backupAsPairs(described);
    const width = Math.max(...pairs.map(([word]) => word.length));
    call.print(pairs.map(([word, value]) => `${word.padEnd(width)}  ${value}`).join('\n'));
  },
};

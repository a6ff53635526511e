import { findBackup } from '../../repository/backup-catalogue.ts';
import type { CommandDefinition } from '../command.ts';
import { switchOption } from '../option-values.ts';
import { cellOf, detailedLine } from './backup-details.ts';
import { formatWalgJson } from './print-lines.ts';

/** One backup, with the fields of `backup-list --detail`. */
export const backupShowCommand: CommandDefinition = {
  name: 'backup-show',
  arguments: [{ notation: '<backup>', description: 'its name, or LATEST' }],
  summary: 'show one backup',
  settings: [],
  options: [
    { flags: '--json', description: 'print JSON' },
    { flags: '--pretty', description: 'print indented JSON' },
  ],
  examples: ['wal-g backup-show LATEST', 'wal-g backup-show base_000000010000000000000002 --json'],
  async run(call) {
    const { signal } = call.context;
    await using repository = await call.openRepository();
    const backup = await findBackup(repository, call.args[0] ?? '', { signal });
    const line = await detailedLine(repository, backup, { signal });
    if (switchOption(call, 'json')) {
      call.print(formatWalgJson(line, switchOption(call, 'pretty')));
      return;
    }
    const fields = Object.entries(line).filter(([field]) => field !== 'user_data' && field !== 'date_fmt');
    call.print(fields.map(([field, value]) => `${field}: ${cellOf(field, value, false)}`).join('\n'));
  },
};

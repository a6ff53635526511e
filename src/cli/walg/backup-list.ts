import pMap from 'p-map';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import { listSentinels, type StoredSentinel } from '../../repository/backup-catalogue.ts';
import type { Repository } from '../../repository/repository.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption } from '../option-values.ts';
import { type BackupLine, briefLine, detailedLine, detailHeadings } from './backup-details.ts';
import { type Column, formatBoxed, formatTabbed, formatWalgJson } from './print-lines.ts';

/** Requests in flight while metadata.json is read. */
const readConcurrency = 16;

const briefColumns: readonly Column[] = [
  ['backup_name', 'Backup name'],
  ['time', 'Modified'],
  ['wal_file_name', 'WAL file name'],
  ['storage_name', 'Storage name'],
];

/** The backups, the newest last. */
export const backupListCommand: CommandDefinition = {
  name: 'backup-list',
  arguments: [],
  summary: 'list the backups, the newest last',
  settings: [],
  options: [
    { flags: '--detail', description: 'with what metadata.json says of each' },
    { flags: '--json', description: 'print JSON' },
    { flags: '--pretty', description: 'print a table with lines, or indented JSON' },
  ],
  examples: ['wal-g backup-list', 'wal-g backup-list --detail --json'],
  async run(call) {
    await using repository = await call.openRepository();
    const sentinels = await listSentinels(repository, { signal: call.context.signal });
    const isDetailed = switchOption(call, 'detail');
    const lines = isDetailed ? await detailedLines(repository, sentinels, call) : sentinels.map(briefLine);
    const isPretty = switchOption(call, 'pretty');
    if (lines.length === 0) call.context.log.info({}, 'No backups found');
    if (switchOption(call, 'json')) {
      call.print(formatWalgJson(lines, isPretty));
    } else if (lines.length > 0) {
      const columns = isDetailed ? [...briefColumns, ...detailHeadings] : briefColumns;
      call.print((isPretty ? formatBoxed : formatTabbed)(columns, lines));
    }
  },
};

/** By the time at which they began; by that of their sentinels where one of them does not say it. */
async function detailedLines(
  repository: Repository,
  sentinels: readonly StoredSentinel[],
  { context }: CommandCall,
): Promise<BackupLine[]> {
  const { signal, log } = context;
  const lines = await pMap(
    sentinels,
    async (sentinel) => {
      try {
        return await detailedLine(repository, sentinel, { signal });
      } catch (error) {
        // Deleted between the listing and the reading: no backup any more.
        if (error instanceof NotFoundError) return undefined;
        if (!(error instanceof IntegrityError)) throw error;
        log.warn({ backup: sentinel.name, err: error }, 'backup cannot be read, and is left out');
        return undefined;
      }
    },
    { concurrency: readConcurrency, signal },
  );
  const known = lines.filter((line) => line !== undefined);
  const begun = known.map((line) => Date.parse(String(line['start_time'])));
  if (begun.some(Number.isNaN)) return known;
  return known.toSorted((a, b) => Date.parse(String(a['start_time'])) - Date.parse(String(b['start_time'])));
}

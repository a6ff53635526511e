import { restoreMissingWal } from '../../wal/restore-missing.ts';
import type { CommandDefinition } from '../command.ts';

/** What pg_rewind misses, brought back from the archive. */
export const walRestoreCommand: CommandDefinition = {
  name: 'wal-restore',
  arguments: [
    { notation: '<target>', description: 'data directory of the cluster that is to be rewound' },
    { notation: '<source>', description: 'data directory of the cluster whose history it is to follow' },
  ],
  summary: 'bring back the WAL that pg_rewind needs, for two clusters on this machine',
  description:
    'Fills the gaps in both pg_wal, from the last checkpoint before the two have parted. Run it as the user who runs PostgreSQL, before pg_rewind.',
  settings: [],
  examples: ['wal-g wal-restore /var/lib/postgresql/18/old /var/lib/postgresql/18/new'],
  async run(call) {
    const [target = '', source = ''] = call.args;
    const { context, settings } = call;
    await using repository = await call.openRepository();
    const restored = await restoreMissingWal(
      repository,
      { target, source, deadlineMs: settings.fetchDeadline },
      context,
    );
    for (const [directory, segments] of [
      [target, restored.target],
      [source, restored.source],
    ] as const) {
      for (const segment of segments)
        context.log.info({}, `Successfully download WAL file ${segment} into ${directory}`);
    }
    if (restored.target.length + restored.source.length === 0) context.log.info({}, 'No WAL files to restore');
  },
};

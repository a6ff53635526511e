import { describePlan, type PlannedKind } from '../../retention/describe-plan.ts';
import { readInventory } from '../../retention/inventory.ts';
import { planDeletion } from '../../retention/plan.ts';
import { runDeletion } from '../../retention/run.ts';
import { formatBytes } from '../../util/bytes.ts';
import type { CommandDefinition } from '../command.ts';
import { readDeleteRequest } from '../delete-request.ts';
import { switchOption } from '../option-values.ts';
import { formatJson, formatTable } from '../output.ts';

/** Retention: old backups, and the WAL that nothing needs any more. */
export const deleteCommand: CommandDefinition = {
  name: 'delete',
  arguments: [
    { notation: '<what>', description: 'before, retain, target, everything or garbage' },
    { notation: '[words...]', description: 'a backup, a time or a count, and FULL, FIND_FULL or FORCE before it' },
  ],
  summary: 'delete old backups and the WAL that no backup needs; only shows what would go, unless --confirm',
  description: [
    'before [FIND_FULL] <backup|time>  what is older than a backup or a time',
    'retain [FULL|FIND_FULL] <count>   what is older than the newest backups',
    'target [FIND_FULL] <backup>       one backup with the deltas on it; no WAL',
    'garbage [ARCHIVES|BACKUPS]        what no backup needs, and leftovers',
    'everything [FORCE]                all of it',
    '',
    'A delta never loses what it stands on: FIND_FULL goes back to the full backup, or with target takes the whole family. FULL counts full backups only. Permanent backups stay, with the WAL that makes them consistent.',
  ].join('\n'),
  settings: [],
  options: [
    { flags: '--confirm', description: 'delete' },
    { flags: '-a, --after <backup|time>', description: 'retain: keep everything since then as well' },
    { flags: '--use-sentinel-time', description: 'order backups by the time at which they began, not by their place' },
    { flags: '--target-user-data <json>', description: 'target: the backup with these user data' },
    { flags: '--without-backup-check', description: 'garbage: also WAL, where no backup is left but permanent ones' },
    { flags: '--json', description: 'print one JSON document' },
  ],
  examples: ['seawall delete retain FULL 7', 'seawall delete before 2026-01-02T00:00:00Z --confirm'],
  async run(call) {
    const request = readDeleteRequest(call);
    const isConfirmed = switchOption(call, 'confirm');
    const { context } = call;
    await using repository = await call.openRepository();
    const { location } = repository.store;
    const inventory = await readInventory(repository, context);
    const plan = planDeletion(inventory, request);

    const kinds = describePlan(plan);
    if (switchOption(call, 'json')) {
      call.print(formatJson({ repository: location, isDryRun: !isConfirmed, kinds }));
    } else if (kinds.length > 0) {
      call.print(formatTable(['kind', 'objects', 'size', 'which'], kinds.map(rowOf)));
    }
    if (kinds.length === 0) {
      context.log.info({}, 'No backup found for deletion, and nothing else');
    } else if (!isConfirmed) {
      context.log.info({}, 'dry run: nothing was deleted. Add --confirm to delete it');
    } else {
      const result = await runDeletion(repository, plan, inventory.segmentSizeBytes, context);
      context.log.info({ ...result }, `deleted from ${location}`);
    }
  },
};

function rowOf({ kind, objectCount, sizeBytes, names }: PlannedKind): string[] {
  const which = kind === 'wal' ? [...new Set(names)].join(' to ') : names.join(' ');
  return [kind, String(objectCount), formatBytes(sizeBytes), which];
}

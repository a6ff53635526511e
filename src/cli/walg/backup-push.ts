import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption, textOption } from '../option-values.ts';
import { takeBackup } from '../take-backup.ts';
import { storageName } from './backup-details.ts';
import { parseJsonOption } from './json-option.ts';

/** Switches that choose how WAL-G packs the parts, or what it writes down; the backup holds the same files in any case. */
const ineffectiveSwitches: readonly (readonly [name: string, flags: string])[] = [
  ['storeAllCorrupt', '-s, --store-all-corrupt'],
  ['ratingComposer', '-r, --rating-composer'],
  ['copyComposer', '-c, --copy-composer'],
  ['databaseComposer', '-b, --database-composer'],
];

/** A base backup of the server on this machine. */
export const backupPushCommand: CommandDefinition = {
  name: 'backup-push',
  arguments: [{ notation: '[PGDATA]', description: "the server's data directory; by default what the server says" }],
  summary: 'take a base backup of a running server',
  description:
    'PGHOST, PGPORT, PGUSER and the others of libpq say how to reach the server. Takes full backups: where a delta is asked for, a full one is taken, and a warning says so.',
  settings: [],
  options: [
    { flags: '-f, --full', description: 'take a full backup, as always' },
    { flags: '-p, --permanent', description: 'delete must leave this backup alone' },
    { flags: '-v, --verify', description: 'verify the page checksums, as always' },
    { flags: '--add-user-data <json>', description: 'JSON that is kept with the backup' },
    { flags: '--without-files-metadata', description: 'leave files_metadata.json out' },
    { flags: '--delta-from-name <backup>', description: 'no effect: no deltas are taken' },
    { flags: '--delta-from-user-data <json>', description: 'no effect: no deltas are taken' },
    ...ineffectiveSwitches.map(([, flags]) => ({ flags, description: 'no effect' })),
  ],
  examples: ['wal-g backup-push $PGDATA', 'wal-g backup-push $PGDATA --permanent'],
  async run(call) {
    const userData = readUserData(call);
    warnOfDifferences(call);
    const { name } = await takeBackup(call, {
      isPermanent: switchOption(call, 'permanent'),
      userData,
      withoutFilesMetadata: switchOption(call, 'withoutFilesMetadata') || call.settings.withoutFilesMetadata,
    });
    call.context.log.info({}, `Wrote backup with name ${name} to storage ${storageName}`);
  },
};

function readUserData(call: CommandCall): unknown {
  const text = textOption(call, 'addUserData') ?? call.settings.userData;
  if (text === undefined || text === '') return undefined;
  return parseJsonOption(text, '--add-user-data');
}

function warnOfDifferences(call: CommandCall): void {
  const { environment, context } = call;
  const wishes = [
    ...(Number(environment['WALG_DELTA_MAX_STEPS']) > 0 ? ['WALG_DELTA_MAX_STEPS'] : []),
    ...['WALG_DELTA_FROM_NAME', 'WALG_DELTA_FROM_USER_DATA'].filter((name) => environment[name]),
    ...(textOption(call, 'deltaFromName') ? ['--delta-from-name'] : []),
    ...(textOption(call, 'deltaFromUserData') ? ['--delta-from-user-data'] : []),
  ];
  if (wishes.length > 0 && !switchOption(call, 'full')) {
    context.log.warn({}, `taking a full backup: Seawall takes no deltas, which ${wishes.join(' and ')} asks for`);
  }
  const given = ineffectiveSwitches.filter(([name]) => switchOption(call, name)).map(([, flags]) => flags);
  if (given.length > 0) context.log.warn({}, `options with no effect in Seawall: ${given.join('; ')}`);
}

import { pushBackup } from '../../backup/push.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import { parseJsonText } from '../../repository/json-object.ts';
import { formatBytes } from '../../util/bytes.ts';
import type { CommandDefinition } from '../command.ts';
import { formatJson } from '../output.ts';
import { showProgress } from '../progress.ts';

/** A base backup of the server on this machine. */
export const basebackupCommand: CommandDefinition = {
  name: 'basebackup',
  arguments: [{ notation: '[PGDATA]', description: "the server's data directory; by default what the server says" }],
  summary: 'take a base backup of a running server',
  description:
    'Runs on the machine of the server, as a user who may read its data directory; libpq variables (PGHOST, PGPORT, PGUSER, PGPASSWORD …) and .pgpass say how to reach it. Ends with 0 when the backup and all the WAL that it needs are in the repository.',
  settings: [
    'compression',
    'compressionLevel',
    'compressionEngine',
    'jobs',
    'partSize',
    'manifestChecksum',
    'userData',
    'withoutFilesMetadata',
    'withoutRelationNames',
    'walDeadline',
  ],
  options: [
    { flags: '--strict', description: 'fail when a data page is damaged, instead of reporting it' },
    { flags: '--permanent', description: 'retention must leave this backup alone' },
    { flags: '--json', description: 'print one JSON document' },
  ],
  examples: ['seawall basebackup /var/lib/postgresql/18/main', 'seawall basebackup --jobs 4 --strict'],
  async run(call) {
    const { settings, context, options } = call;
    await using repository = await call.openRepository();
    const progress = showProgress('backing up', context);
    try {
      const backup = await pushBackup(
        repository,
        {
          environment: call.environment,
          dataDirectory: call.args[0],
          jobs: settings.jobs,
          partSizeBytes: settings.partSize,
          manifestChecksum: settings.manifestChecksum,
          walDeadlineMs: settings.walDeadline,
          strict: options['strict'] === true,
          userData: settings.userData === undefined ? undefined : parseJsonText(settings.userData),
          withoutFilesMetadata: settings.withoutFilesMetadata,
          withoutRelationNames: settings.withoutRelationNames,
          isPermanent: options['permanent'] === true,
          onProgress: progress.update,
        },
        context,
      );
      const { name, startLsn, finishLsn, uncompressedSizeBytes, compressedSizeBytes } = backup;
      const lsns = { startLsn: formatLsn(startLsn), finishLsn: formatLsn(finishLsn) };
      progress.end();
      call.print(
        options['json']
          ? formatJson({ name, ...lsns, uncompressedSizeBytes, compressedSizeBytes, damagedFiles: backup.damagedFiles })
          : `${name} is complete: ${formatBytes(uncompressedSizeBytes)}, ${formatBytes(compressedSizeBytes)} as stored, WAL ${lsns.startLsn} to ${lsns.finishLsn}`,
      );
    } finally {
      progress.end();
    }
  },
};

import { formatLsn } from '../../postgres/lsn.ts';
import { parseJsonText } from '../../repository/json-object.ts';
import { formatBytes } from '../../util/bytes.ts';
import type { CommandDefinition } from '../command.ts';
import { formatJson } from '../output.ts';
import { takeBackup } from '../take-backup.ts';

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
    const { settings, options } = call;
    const backup = await takeBackup(call, {
      strict: options['strict'] === true,
      isPermanent: options['permanent'] === true,
      userData: settings.userData === undefined ? undefined : parseJsonText(settings.userData),
    });
    const { name, startLsn, finishLsn, uncompressedSizeBytes, compressedSizeBytes } = backup;
    const lsns = { startLsn: formatLsn(startLsn), finishLsn: formatLsn(finishLsn) };
    call.print(
      options['json']
        ? formatJson({ name, ...lsns, uncompressedSizeBytes, compressedSizeBytes, damagedFiles: backup.damagedFiles })
        : `${name} is complete: ${formatBytes(uncompressedSizeBytes)}, ${formatBytes(compressedSizeBytes)} as stored, WAL ${lsns.startLsn} to ${lsns.finishLsn}`,
    );
  },
};

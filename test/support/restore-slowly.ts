import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';

/**
 * A restore that says when all data is there and then waits for ever before it fetches pg_control, to be killed:
 * `node restore-slowly.ts <file URL of the repository> <destination> <tablespace to move>`.
 */
const [, , location = '', directory = '', tablespace = ''] = process.argv;
const store = createFilesystemStore(new URL(location).pathname);
const slowStore = {
  ...store,
  get: async (...args: Parameters<typeof store.get>) => {
    if (args[0].includes('pg_control.tar') && hasSeenControl) {
      process.stdout.write('waiting\n');
      await new Promise(() => undefined);
    }
    hasSeenControl ||= args[0].includes('pg_control.tar');
    return await store.get(...args);
  },
};
let hasSeenControl = false;
// Keeps the process alive while it waits.
setInterval(() => undefined, 1000);
await restoreBackup(
  createRepository(slowStore, createCodec('zstd')),
  {
    backup: 'LATEST',
    directory,
    target: parseRecoveryTarget({}),
    standby: false,
    restoreCommand: 'false',
    tablespaceMappings: [{ from: tablespace, to: `${directory}-ts` }],
    jobs: 2,
  },
  createContext(),
);

import { existsSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createCodec } from '../../src/codec/codecs.ts';
import { createContext } from '../../src/context.ts';
import { describeError, SeawallError } from '../../src/errors.ts';
import { parseRecoveryTarget } from '../../src/postgres/recovery-target.ts';
import { createRepository } from '../../src/repository/repository.ts';
import { restoreBackup } from '../../src/restore/restore.ts';
import { createFilesystemStore } from '../../src/storage/drivers/filesystem.ts';

/**
 * A process of its own that restores the latest backup, for tests that kill it or give it too small a disk:
 *
 * - `stop <repository> <destination> <tablespace>` says when all data is there, and waits for ever before it fetches pg_control
 * - `run <repository> <destination>` prints the outcome
 *
 * The tablespace goes to `<destination>-ts`.
 */
const [job, root = '', directory = '', tablespace] = process.argv.slice(2);

/** How a restore ended. */
export interface RestoreOutcome {
  readonly message?: string;
  readonly hint?: string | undefined;
  readonly cause?: string;
  /** What stands beside the destination afterwards, itself included. */
  readonly names: readonly string[];
}

const store = createFilesystemStore(root);
const options = {
  backup: 'LATEST',
  directory,
  target: parseRecoveryTarget({}),
  standby: false,
  restoreCommand: 'false',
  tablespaceMappings: tablespace === undefined ? [] : [{ from: tablespace, to: `${directory}-ts` }],
  jobs: 2,
};

async function run(): Promise<RestoreOutcome> {
  try {
    await restoreBackup(createRepository(store, createCodec('zstd')), options, createContext());
    return { names: namesThere() };
  } catch (error) {
    const hint = error instanceof SeawallError ? error.hint : undefined;
    const { message, cause } = error as Error;
    return { message, hint, cause: describeError(cause), names: namesThere() };
  }
}

function namesThere(): string[] {
  return existsSync(dirname(directory)) ? readdirSync(dirname(directory)) : [];
}

/** pg_control is read once for the plan; the second time, everything else has been laid down. */
async function stopBeforeControl(): Promise<void> {
  let timesAsked = 0;
  const get: typeof store.get = async (key, getOptions) => {
    if (key.includes('pg_control.tar')) timesAsked += 1;
    if (timesAsked < 2) return await store.get(key, getOptions);
    process.stdout.write('waiting\n');
    // Keeps the process alive while it waits.
    setInterval(() => undefined, 1000);
    return await new Promise(() => undefined);
  };
  await restoreBackup(createRepository({ ...store, get }, createCodec('zstd')), options, createContext());
}

if (job === 'stop') await stopBeforeControl();
else process.stdout.write(JSON.stringify(await run()));

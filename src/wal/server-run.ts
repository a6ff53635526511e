import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbortError } from '../errors.ts';
import { parsePostmasterPid } from '../postgres/postmaster-pid.ts';

/**
 * The name of one run of one server, `<boot id>-<postmaster's process id>-<its start in seconds since 1970>`: a restarted server, a
 * clone and a restored snapshot have others. The launcher composes the same from the same files.
 *
 * @returns undefined when no server has the data directory, or the system tells no boot id (only Linux does)
 */
export async function readServerRun(dataDirectory: string): Promise<string | undefined> {
  try {
    const [bootId, postmaster] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
      readFile(join(dataDirectory, 'postmaster.pid'), 'utf8'),
    ]);
    const { processId, startedAt } = parsePostmasterPid(postmaster);
    const name = `${bootId.trim()}-${processId}-${startedAt.getTime() / 1000}`;
    return isServerRun(name) ? name : undefined;
  } catch (error) {
    if (isAbortError(error)) throw error;
    // No such file, or one that is being written: in doubt there is no run to rely on.
    return undefined;
  }
}

/** Whether a name is one that {@link readServerRun} gives. */
export function isServerRun(name: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+-\d+$/.test(name);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePostmasterPid } from '../../postgres/postmaster-pid.ts';

/**
 * The name of one run of one server, `<boot id>-<postmaster's process id>-<its start in seconds since 1970>`: a restarted server, a
 * clone and a restored snapshot have others. The launcher composes the same from the same files.
 *
 * @returns undefined when no server has the data directory, or the system tells no boot id (only Linux does)
 */
export async function readServerRun(dataDirectory: string): Promise<string | undefined> {
  try {
    const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    const { processId, startedAt } = parsePostmasterPid(await readFile(postmasterPidPath(dataDirectory), 'utf8'));
    const name = `${bootId.trim()}-${processId}-${startedAt.getTime() / 1000}`;
    return isServerRun(name) ? name : undefined;
  } catch {
    // There is none, or it is just being written: nothing to tie notes to.
    return undefined;
  }
}

/** The file that the server writes when it starts and removes as the last thing when it ends. */
export function postmasterPidPath(dataDirectory: string): string {
  return join(dataDirectory, 'postmaster.pid');
}

/** Whether a name is one that {@link readServerRun} gives. */
export function isServerRun(name: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d+-\d+$/.test(name);
}

import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { exitStatuses } from './exit-codes.ts';
import { lastResort } from './signals.ts';

/** Requests that are about to be answered get so long. The one whose answer we are just acting upon is over with this turn of the event loop. */
const graceMs = 1000;
const pollIntervalMs = 5;

/**
 * Ends the process with this status, whatever still hangs.
 *
 * `process.exit` waits for the threads that serve files and DNS, and one that waits for a file server that is gone never comes
 * back. Then only a signal ends the process; the launcher reads SIGUSR2 as the status 75, and SIGKILL as that of a crash.
 */
export async function endProcess(status: number): Promise<void> {
  await nextTurn();
  for (let waitedMs = 0; waitedMs < graceMs; waitedMs += pollIntervalMs) {
    if (!hasOpenRequests()) process.exit(status);
    await delay(pollIntervalMs);
  }
  process.removeAllListeners(lastResort);
  process.kill(process.pid, status === exitStatuses.busy.status ? lastResort : 'SIGKILL');
}

function hasOpenRequests(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/.test(name));
}

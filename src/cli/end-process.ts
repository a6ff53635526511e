import { exitStatuses } from './exit-codes.ts';

/**
 * Ends the process with this status, whatever still hangs.
 *
 * `process.exit` waits for the threads that serve files and DNS, and one that waits for a file server that is gone never comes
 * back. Then only a signal ends the process; the launcher reads SIGUSR2 as the status 75, and SIGKILL as that of a crash.
 */
export function endProcess(status: number): void {
  const hangs = process.getActiveResourcesInfo().some((name) => /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/.test(name));
  if (!hangs) process.exit(status);
  process.kill(process.pid, status === exitStatuses.busy.status ? 'SIGUSR2' : 'SIGKILL');
}

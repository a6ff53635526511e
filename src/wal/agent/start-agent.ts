import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How the agent of a call is started. */
export interface AgentCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The data directory. */
  readonly directory: string;
}

/**
 * Stands between the agent and PostgreSQL, which may be process 1 and so inherit every orphan: it ends all connections and recovers from a
 * crash when an unknown child of its own dies by a signal. This shell outlives the agent, whatever kills that, and ends with 0.
 *
 * It ignores the signals that a service manager may send to all processes alike; the agent hears them. Descriptors that an old PostgreSQL
 * leaves open are closed. It leaves the data directory, so that it never keeps a volume busy.
 *
 * @see postgres src/backend/postmaster/postmaster.c, CleanupBackend and LogChildExit
 */
const guardian = `trap '' HUP INT QUIT TERM
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
"$@" &
cd /
wait
exit 0`;

/** Starts the agent as a process that nobody waits for: in a session of its own, with nothing but /dev/null open. */
export async function startAgent({ command, environment, directory }: AgentCommand): Promise<void> {
  const child = spawn('/bin/sh', ['-c', guardian, 'sh', ...command], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: 'ignore',
  });
  await once(child, 'spawn');
  child.unref();
}

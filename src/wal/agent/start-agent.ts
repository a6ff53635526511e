import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile } from 'node:fs/promises';

/** O_CLOEXEC, as /proc/self/fdinfo shows it. @see proc_pid_fdinfo(5) */
const closedOnExec = 0o2000000;

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
 * It ignores the signals that a service manager may send to all processes alike; Node hears them nevertheless. It leaves the data
 * directory, so that it never keeps a volume busy.
 *
 * @see postgres src/backend/postmaster/postmaster.c, CleanupBackend and LogChildExit
 */
const guardian = `trap '' HUP INT QUIT TERM
"$@" &
cd /
wait
exit 0`;

/** Starts the agent as a process that nobody waits for: in a session of its own, with nothing but /dev/null open. */
export async function startAgent({ command, environment, directory }: AgentCommand): Promise<void> {
  await using nothing = await open('/dev/null', 'r+');
  const child = spawn('/bin/sh', ['-c', guardian, 'sh', ...command], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: await descriptorsOf(nothing.fd),
  });
  await once(child, 'spawn');
  child.unref();
}

/** /dev/null in place of every descriptor that a child would inherit: PostgreSQL and who has started it may have left some open. */
async function descriptorsOf(nothing: number): Promise<('ignore' | number)[]> {
  const descriptors = new Map<number, number>([0, 1, 2].map((descriptor) => [descriptor, nothing]));
  for (const name of await readdir('/proc/self/fdinfo')) {
    const info = await readFile(`/proc/self/fdinfo/${name}`, 'latin1').catch(() => '');
    const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '', 8);
    if ((flags & closedOnExec) === 0) descriptors.set(Number(name), nothing);
  }
  return Array.from({ length: Math.max(...descriptors.keys()) + 1 }, (_, index) => descriptors.get(index) ?? 'ignore');
}

import { readFile } from 'node:fs/promises';

/** A process, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly processId: number;
  /** Clock ticks between the start of the machine and that of the process, as the kernel prints them. */
  readonly startTicks: string;
}

/** What a process does: `stopped` by a signal or a debugger, it may go on one day; `gone` for good. */
export type ProcessState = 'at work' | 'stopped' | 'gone';

/** Letters of the kernel for the states in which nothing is done. @see proc_pid_stat(5) */
const idleStates: Readonly<Record<string, ProcessState>> = {
  Z: 'gone',
  X: 'gone',
  x: 'gone',
  T: 'stopped',
  t: 'stopped',
};

/** This very process; undefined where there is no /proc, or where it is that of another PID namespace and so has other numbers. */
export async function ownIdentity(): Promise<ProcessIdentity | undefined> {
  const own = (await readProcess('self'))?.identity;
  return own?.processId === process.pid ? own : undefined;
}

/** A process of another container is always gone in our eyes: its number is that of another process here, or of none. */
export async function stateOf(identity: ProcessIdentity): Promise<ProcessState> {
  const found = await readProcess(identity.processId);
  if (found === undefined || !isSame(found.identity, identity)) return 'gone';
  return idleStates[found.state] ?? 'at work';
}

/** One line, as the spool's files hold it. */
export function formatIdentity({ processId, startTicks }: ProcessIdentity): string {
  return `${processId} ${startTicks}\n`;
}

/** The inverse of {@link formatIdentity}; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [, processId, startTicks] = /^([1-9]\d{0,9}) (\d+)\n$/.exec(text) ?? [];
  return startTicks === undefined ? undefined : { processId: Number(processId), startTicks };
}

/** Whether both are one process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.processId === other.processId && one.startTicks === other.startTicks;
}

async function readProcess(number: number | 'self'): Promise<{ identity: ProcessIdentity; state: string } | undefined> {
  const text = await readFile(`/proc/${number}/stat`, 'latin1').catch(() => '');
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === undefined || startTicks === undefined) return undefined;
  return { identity: { processId: Number.parseInt(text, 10), startTicks }, state };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { waitFor } from './wait-for.ts';

/** A process that does nothing until it is told what happens to it. */
export interface OtherProcess extends AsyncDisposable {
  readonly process: ChildProcess;
  /** As the files of the spool name it. */
  readonly identity: string;
  stop(): Promise<void>;
  goOn(): Promise<void>;
  kill(): Promise<void>;
}

export async function startOtherProcess(): Promise<OtherProcess> {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const fields = (): string[] => {
    const text = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  };
  const signal = async (name: NodeJS.Signals, states: string): Promise<void> => {
    child.kill(name);
    await waitFor(`the process to be ${states}`, () => states.includes(fields()[0] ?? ''), { intervalMs: 2 });
  };
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  };
  return {
    process: child,
    identity: `${child.pid} ${fields()[19]}\n`,
    stop: () => signal('SIGSTOP', 'T'),
    goOn: () => signal('SIGCONT', 'SR'),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

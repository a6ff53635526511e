import { type ChildProcess, spawn } from 'node:child_process';
import { asServerUser } from './server-user.ts';

export interface CommandOptions {
  readonly cwd?: string;
  /** The whole environment of the program; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Run it as the user who runs PostgreSQL (see `server-user.ts`). */
  readonly asServerUser?: boolean;
  readonly input?: string;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly finished: Promise<CommandResult>;
  /** What it has printed so far. */
  readonly output: Readonly<Pick<CommandResult, 'stdout' | 'stderr'>>;
}

/** Starts a program and collects what it prints. */
export function startCommand(command: string, args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const launch = options.asServerUser === true ? asServerUser(command, args) : { command, args, options: {} };
  const child = spawn(launch.command, launch.args, {
    ...launch.options,
    cwd: options.cwd,
    env: options.env ?? {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // A program that ends without reading its input is no failure of the test.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const finished = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...output }));
  });
  return { process: child, finished, output };
}

/** Runs a program to its end. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await startCommand(command, args, options).finished;
}

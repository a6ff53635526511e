import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { asServerUser } from '../support/server-user.ts';
import type { Commands } from './contestant.ts';

/** A daemon that takes longer to listen would lose its first call, which PostgreSQL makes again after a second. */
const startMs = 500;

/** Runs something while the contestant's daemon runs, if it has one. */
export async function withDaemon<T>({ daemon, environment }: Commands, use: () => Promise<T>): Promise<T> {
  const [program, ...args] = daemon ?? [];
  if (program === undefined) return await use();
  const launch = asServerUser(program, args);
  const child = spawn(launch.command, launch.args, {
    ...launch.options,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: 'ignore',
  });
  try {
    await delay(startMs);
    return await use();
  } finally {
    child.kill('SIGTERM');
    await once(child, 'close');
  }
}

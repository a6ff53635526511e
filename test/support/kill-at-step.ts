// Loaded before the program by NODE_OPTIONS (see kill-plan.ts): an agent takes one entry of the plan, and dies by it, or hangs.
import fsSync from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { compareSteps } from './kill-plan.ts';

/** At which step an agent with a plan for its end is told to end. */
const endAtStep = 60;

const { existsSync, readdirSync, renameSync } = fsSync;
const plan = process.env['SEAWALL_TEST_KILL_PLAN'];
const entry = plan !== undefined && process.argv.includes('agent') ? takeEntry(plan) : undefined;
if (plan !== undefined && entry !== undefined) await follow(plan, entry);

/**
 * Of several agents that start at once, each gets another one. Who ends before the step leaves the entry to the next one. An entry by which
 * an agent hangs is nobody's until then: of several agents that start at once only one gets to work, and nobody knows which.
 */
function takeEntry(directory: string): string | undefined {
  const entries = readdirSync(directory).filter((candidate) => !candidate.includes('.done.'));
  for (const entry of entries.sort(compareSteps)) {
    const [name = '', owner] = entry.split('.');
    if (isHang(name)) return name;
    if (owner !== undefined && existsSync(`/proc/${owner}`)) continue;
    try {
      renameSync(join(directory, entry), join(directory, `${name}.${process.pid}`));
      return name;
    } catch {
      // Another one has taken it.
    }
  }
  return undefined;
}

async function follow(directory: string, name: string): Promise<void> {
  const own = join(directory, isHang(name) ? name : `${name}.${process.pid}`);
  const [isAtEnd, fatalStep] = [name.startsWith('end-'), Number(name.replace('end-', ''))];
  const [, hangsAt, hangsIn = ''] = /^hang-(\w+)-(\w+)$/.exec(name) ?? [];
  let step = isAtEnd ? -endAtStep : 0;
  const count = (operation: string, args: readonly unknown[]): void => {
    step += 1;
    if (isAtEnd && step === 0) process.kill(process.pid, 'SIGTERM');
    const isThere = operation === hangsAt && args.some((argument) => String(argument).includes(hangsIn));
    if (step !== fatalStep && !(isThere && existsSync(own))) return;
    renameSync(own, join(directory, `${name}.done.${operation}`));
    if (!isThere) process.kill(process.pid, 'SIGKILL');
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  const handle = await fsPromises.open('/dev/null');
  await handle.close();
  countCalls(fsPromises, count);
  countCalls(Object.getPrototypeOf(handle) as object, count);
  syncBuiltinESMExports();
}

function isHang(name: string): boolean {
  return name.startsWith('hang-');
}

/** Counts each call of a function of the object, which begins a step to the file system. */
function countCalls(target: object, count: (operation: string, args: readonly unknown[]) => void): void {
  for (const [name, { value, configurable }] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
    if (typeof value !== 'function' || configurable !== true || name === 'constructor') continue;
    const original = value as (...args: unknown[]) => unknown;
    const counted = function (this: unknown, ...args: unknown[]): unknown {
      count(name, args);
      return original.apply(this, args);
    };
    Object.defineProperty(target, name, { value: counted });
  }
}

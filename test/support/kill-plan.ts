import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';
import { giveToServerUser, makeServerDirectory } from './server-user.ts';

/** Where agents are to be killed: each starts, takes one entry, and dies by kill -9 right before that step. */
export interface KillPlan extends AsyncDisposable {
  /** For the server, whose commands start the agents. */
  readonly environment: Readonly<Record<string, string>>;
  /** The steps that no agent has been killed at. */
  left(): string[];
  /** Those that were, with the call that the agent was about to make. */
  killed(): string[];
}

/** Every other step, from the first or from the second on, which takes half a minute; with the variable set to 1, every step. */
export const killStride = Number(process.env['SEAWALL_TEST_KILL_STRIDE'] ?? 2);

export interface KillPlanOptions {
  /** Calls to the file system that are counted from the start of the agent. */
  readonly steps: number;
  /** Those that are counted from the moment when it is told to end. */
  readonly endSteps: number;
  /** Every n-th of them, from a random one on. */
  readonly stride: number;
}

/** Makes a plan in a directory of its own. */
export function makeKillPlan({ steps, endSteps, stride }: KillPlanOptions): KillPlan {
  const directory = makeServerDirectory('seawall-kill-');
  const offset = Math.floor(Math.random() * stride);
  const numbers = (count: number) =>
    Array.from({ length: count }, (_, index) => index + 1).filter((step) => step % stride === offset);
  for (const name of [...numbers(steps).map(String), ...numbers(endSteps).map((step) => `end-${step}`)]) {
    writeFileSync(join(directory, name), '');
    giveToServerUser(join(directory, name));
  }
  const entries = () => readdirSync(directory).sort(compareSteps);
  return {
    environment: {
      SEAWALL_TEST_KILL_PLAN: directory,
      NODE_OPTIONS: `--import=${new URL('kill-at-step.ts', import.meta.url).href}`,
    },
    left: () => entries().filter((name) => !name.includes('.killed.')),
    killed: () => entries().filter((name) => name.includes('.killed.')),
    [Symbol.asyncDispose]: () => removeTree(directory),
  };
}

/** The order in which agents take the entries: the early steps first, and those of the end last. */
export function compareSteps(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

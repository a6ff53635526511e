import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './remove-tree.ts';
import { giveToServerUser, makeServerDirectory } from './server-user.ts';

/** What is to happen to agents: each that starts takes one entry. */
export interface KillPlan extends AsyncDisposable {
  /** For the server, whose commands start the agents. */
  readonly environment: Readonly<Record<string, string>>;
  /** What has not happened yet. */
  left(): string[];
}

/** Every other step, from the first or from the second on, which takes half a minute; with the variable set to 1, every step. */
const stride = Number(process.env['SEAWALL_TEST_KILL_STRIDE'] ?? 2);

/**
 * Kills agents by kill -9 right before a step, each at another one.
 *
 * @param steps - calls to the file system, counted from the start of the agent
 * @param endSteps - those counted from the moment when it is told to end
 */
export function planKills({ steps, endSteps }: { readonly steps: number; readonly endSteps: number }): KillPlan {
  const offset = Math.floor(Math.random() * stride);
  const numbers = (count: number) =>
    Array.from({ length: count }, (_, index) => index + 1).filter((step) => step % stride === offset);
  return makePlan([...numbers(steps).map(String), ...numbers(endSteps).map((step) => `end-${step}`)]);
}

/** Lets one agent hang for ever right before its first call of that name to the file system that concerns a path with that text. */
export function planHang(operation: string, text: string): KillPlan {
  return makePlan([`hang-${operation}-${text}`]);
}

/** The order in which agents take the entries: the early steps first, and those of the end last. */
export function compareSteps(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function makePlan(entries: readonly string[]): KillPlan {
  const directory = makeServerDirectory('seawall-kill-');
  for (const name of entries) {
    writeFileSync(join(directory, name), '');
    giveToServerUser(join(directory, name));
  }
  return {
    environment: {
      SEAWALL_TEST_KILL_PLAN: directory,
      NODE_OPTIONS: `--import=${new URL('kill-at-step.ts', import.meta.url).href}`,
    },
    left: () => readdirSync(directory).filter((name) => !name.includes('.done.')),
    [Symbol.asyncDispose]: () => removeTree(directory),
  };
}

import { fileURLToPath } from 'node:url';
import { type CommandOptions, type CommandResult, type RunningCommand, startCommand } from './run-command.ts';

/** The launcher, as PostgreSQL's configuration names it. */
export const seawallPath: string = fileURLToPath(new URL('../../bin/seawall', import.meta.url));

/**
 * The environment in which tests call Seawall: the PATH and the running Node, and nothing else of ours, so that settings and
 * credentials of the developer's shell never reach a test.
 */
export const seawallEnvironment: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  SEAWALL_NODE: process.execPath,
};

/** Starts `seawall` with these arguments; `env` comes on top of {@link seawallEnvironment}. */
export function startSeawall(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return startCommand(seawallPath, args, { ...options, env: { ...seawallEnvironment, ...options.env } });
}

/** Runs `seawall` to its end. It never rejects for what Seawall does: look at the exit code. */
export async function runSeawall(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return await startSeawall(args, options).finished;
}

import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defaultConfigPath } from '../config/config-file.ts';
import type { AgentCommand } from '../wal/agent/start-agent.ts';
import type { Direction, SpoolCall } from '../wal/spool.ts';
import type { CommandCall } from './command.ts';

/** What the launcher hands over for calls that are fit for the spool: flags and variables that decide about their outcome, in one line. */
export const settingsVariable = 'SEAWALL_CALL_SETTINGS';

/** V8 lets go of buffers sooner when its own heap and its young generation are small; the agent uses little of them. */
const agentHeapOptions = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/**
 * The spool as this call may use it; undefined when the agent is switched off, when the launcher found the call unfit (not made by a
 * server for a file in its pg_wal), or when another user than the server's makes it, whose files would only be in the server's way.
 *
 * @param dataDirectory - the working directory unless told
 */
export function spoolCallOf(
  call: CommandCall,
  direction: Direction,
  dataDirectory: string = process.cwd(),
): SpoolCall | undefined {
  const settings = call.environment[settingsVariable];
  if (!call.settings.agent || settings === undefined) return undefined;
  if (statSync(dataDirectory).uid !== process.geteuid?.()) return undefined;
  return { dataDirectory, direction, settings, settingsFiles: settingsFilesOf(call) };
}

/** How to start the agent for a call like this one: with the same flags, in the same environment and directory. */
export function agentCommandOf(
  direction: Direction,
  { personality, flags }: Pick<CommandCall, 'personality' | 'flags'>,
): AgentCommand {
  const program = [process.execPath, ...agentHeapOptions, process.argv[1] ?? ''];
  const addressee = personality === 'wal-g' ? ['wal-g'] : [];
  return {
    command: [...program, ...addressee, 'agent', direction, ...flags],
    environment: process.env,
    directory: process.cwd(),
  };
}

/** The files that say which repository is meant, in the launcher's order; then those with keys, which only the agent watches. */
function settingsFilesOf({ configPath, environment, settings }: CommandCall): (string | undefined)[] {
  const profiles = environment['AWS_CONFIG_FILE'] || join(environment['HOME'] ?? '', '/.aws/config');
  const paths = [
    configPath || defaultConfigPath,
    environment['AZURE_STORAGE_CONNECTION_STRING_FILE'] || undefined,
    profiles,
    settings.libsodiumKeyFile,
    settings.openpgpKeyFile,
  ];
  return paths.map((path) => (path === undefined ? undefined : resolve(path)));
}

import { spawnSync } from 'node:child_process';

/** Whether the machine has a command that answers to `--version`. */
export function hasCommand(name: string): boolean {
  return spawnSync(name, ['--version']).status === 0;
}

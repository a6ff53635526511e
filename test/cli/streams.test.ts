import { describe, expect, it } from 'vitest';
import { runCommand } from '../support/run-command.ts';
import { seawallEnvironment, seawallPath } from '../support/seawall.ts';

/** Runs a line of sh in which `$0` stands for the launcher. */
async function runInShell(line: string) {
  return await runCommand('sh', ['-c', line, seawallPath], { env: seawallEnvironment });
}

describe('a reader that has gone', () => {
  it.each(['--help', 'config show', 'wal-g --help'])('ends seawall %s without a word', async (args) => {
    const { stderr } = await runInShell(`{ "$0" ${args}; echo "status $?" >&2; } | true`);
    expect(stderr).toMatch(/^status (141|0)\n$/);
  });

  it('of the log lines does not change how a command ends', async () => {
    const { stdout } = await runInShell('{ { sleep 0.5; "$0" list 2>&3; echo "status $?" >&4; } 3>&1 | true; } 4>&1');
    expect(stdout).toBe('status 78\n');
  });
});

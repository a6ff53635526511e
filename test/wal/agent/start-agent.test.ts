import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAgent } from '../../../src/wal/agent/start-agent.ts';
import { waitFor } from '../../support/wait-for.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seawall-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, maxRetries: 20 }));

function contentOf(name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return '';
  }
}

/** Starts a program as an agent, and waits until it has made its preparations; gives its process id and that of the shell above it. */
async function startProgram(script: string, preparations = ':'): Promise<{ processId: number; guardianId: number }> {
  const program = `${preparations}; echo "$$ $PPID" > ids.new && mv ids.new ids; ${script}`;
  await startAgent({ command: ['sh', '-c', program], environment: { PATH: process.env['PATH'] }, directory: folder });
  const ids = await waitFor('the program', () => contentOf('ids') || undefined);
  const [processId = 0, guardianId = 0] = ids.split(' ').map(Number);
  return { processId, guardianId };
}

function fieldsOf(processId: number): string[] {
  const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function isAlive(processId: number): boolean {
  try {
    return fieldsOf(processId)[0] !== 'Z';
  } catch {
    return false;
  }
}

/** Whether a process has nothing open but /dev/null, and this working directory: soon after its start, when its libraries are loaded. */
function hasOnlyNullOpen(processId: number, directory: string): boolean {
  try {
    const files = readdirSync(`/proc/${processId}/fd`).map((fd) => readlinkSync(`/proc/${processId}/fd/${fd}`));
    return files.every((file) => file === '/dev/null') && readlinkSync(`/proc/${processId}/cwd`) === directory;
  } catch {
    // What was open when the directory was read has been closed meanwhile.
    return false;
  }
}

describe('a program started as an agent', () => {
  it('has a shell above it, in a session of their own, with nothing but /dev/null open', async () => {
    const { processId, guardianId } = await startProgram('exec sleep 300');
    const [, parent, , session] = fieldsOf(processId);
    expect(Number(parent)).toBe(guardianId);
    expect(Number(session)).toBe(guardianId);
    expect(fieldsOf(guardianId)[3]).toBe(String(guardianId));
    await waitFor('the program to have nothing open', () => hasOnlyNullOpen(processId, folder));
    await waitFor('the shell to have nothing open, and to leave', () => hasOnlyNullOpen(guardianId, '/'));
    process.kill(processId, 'SIGKILL');
  });

  it('leaves nobody behind when a signal ends it', async () => {
    for (const signal of ['SIGKILL', 'SIGSEGV'] as const) {
      const { processId, guardianId } = await startProgram('exec sleep 300');
      process.kill(processId, signal);
      await waitFor('the shell to end', () => !isAlive(guardianId));
      rmSync(join(folder, 'ids'));
    }
  });

  it('lives on when the whole group of its starter is killed, and its shell when everybody is told to end', async () => {
    const { processId, guardianId } = await startProgram('while :; do sleep 1; done', "trap '' TERM");
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) process.kill(guardianId, signal);
    process.kill(processId, 'SIGTERM');
    expect([isAlive(guardianId), isAlive(processId)]).toEqual([true, true]);
    process.kill(processId, 'SIGKILL');
    await waitFor('the shell to end', () => !isAlive(guardianId));
  });
});

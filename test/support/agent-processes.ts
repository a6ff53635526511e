import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseWalFileName } from '../../src/postgres/wal-name.ts';
import { type Direction, spoolName } from '../../src/wal/spool.ts';
import type { Server } from './postgres-server.ts';
import { waitFor } from './wait-for.ts';

/** The process of an agent. */
export interface AgentProcess {
  readonly processId: number;
  readonly parentId: number;
  readonly arguments: readonly string[];
}

/** Where the server's run keeps its spool; undefined while there is none. */
export function spoolOf({ dataDirectory }: Server): string | undefined {
  const root = join(dataDirectory, 'pg_wal', spoolName);
  const [processId, , startedAt] = readIfThere(join(dataDirectory, 'postmaster.pid'))?.split('\n') ?? [];
  const run = entriesIn(root).find((name) => name.endsWith(`-${processId}-${startedAt}`));
  return run === undefined ? undefined : join(root, run);
}

/** The half that calls find now. */
export function halfOf(server: Server, direction: Direction): string | undefined {
  const spool = spoolOf(server);
  const pointer = spool === undefined ? undefined : readIfThere(join(spool, direction));
  const half = pointer === undefined ? undefined : join(spool ?? '', pointer.split('\n')[0] ?? '');
  return half !== undefined && existsSync(half) ? half : undefined;
}

/** The WAL files that a folder of a half names; none when there is no such half. */
export function spooled(server: Server, direction: Direction, folder: string): string[] {
  const half = halfOf(server, direction);
  const names = half === undefined ? [] : entriesIn(join(half, folder));
  return names.filter((name) => parseWalFileName(name) !== undefined);
}

/** The WAL files that a process has in flight. */
export function claimsOf(server: Server, direction: Direction, processId: number): string[] {
  const folder = join(halfOf(server, direction) ?? '', 'claimed');
  const isOwn = (name: string) => readIfThere(join(folder, name))?.startsWith(`${processId} `) === true;
  return spooled(server, direction, 'claimed').filter(isOwn).sort();
}

/** The agents at work for a server: those that its spool names, as long as they live. */
export function agentsOf(server: Server): AgentProcess[] {
  return (['push', 'fetch'] as const).flatMap((direction) => agentOf(server, direction) ?? []);
}

/** Waits for the agent of a direction and gives it. */
export async function runningAgent(server: Server, direction: Direction = 'push'): Promise<AgentProcess> {
  return await waitFor('an agent', () => agentOf(server, direction), { intervalMs: 2 });
}

/** The fields of /proc/<id>/stat from the third on: state, parent, process group, session, and so on. Undefined when it has ended. */
export function processStatus(processId: number): string[] | undefined {
  const text = readIfThere(`/proc/${processId}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields;
}

/** The most memory that a process has ever had, in bytes. */
export function peakMemoryBytes(processId: number): number {
  const peakKib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1];
  return Number(peakKib) * 1024;
}

/** What a process has open: paths, sockets, pipes and devices. */
export function descriptorsOf(processId: number): string[] {
  return entriesIn(`/proc/${processId}/fd`).flatMap((name) => {
    try {
      return readlinkSync(`/proc/${processId}/fd/${name}`);
    } catch {
      // It was closed since.
      return [];
    }
  });
}

function agentOf(server: Server, direction: Direction): AgentProcess | undefined {
  const half = halfOf(server, direction);
  const processId = Number.parseInt(readIfThere(join(half ?? '', 'agent')) ?? '', 10);
  const parentId = Number(processStatus(processId)?.[1]);
  const words = readIfThere(`/proc/${processId}/cmdline`)?.split('\0').slice(0, -1) ?? [];
  return half === undefined || words.length === 0 ? undefined : { processId, parentId, arguments: words };
}

function entriesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

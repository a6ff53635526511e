import { readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Half } from '../spool.ts';
import {
  formatIdentity,
  isSame,
  ownIdentity,
  type ProcessIdentity,
  type ProcessState,
  parseIdentity,
  stateOf,
} from './process-identity.ts';

/** Says that this process is the agent of the half. */
export async function recordAgent(half: Half): Promise<void> {
  const own = await ownIdentity();
  if (own === undefined) throw new Error('there is no /proc to tell processes apart');
  const temporary = join(half.path, `agent.${own.processId}`);
  await writeFile(temporary, formatIdentity(own), { mode: 0o600 });
  await rename(temporary, recordPath(half));
}

/** Takes that back. */
export async function withdrawAgent(half: Half): Promise<void> {
  if (await isOwnRecord(half)) await unlink(recordPath(half)).catch(() => undefined);
}

/** Whether it is (still) this process. */
export async function isOwnRecord(half: Half): Promise<boolean> {
  const [own, recorded] = [await ownIdentity(), await readRecord(half)];
  return own !== undefined && recorded !== undefined && isSame(own, recorded);
}

/** What the agent of the half does; `gone` also when there never was one. */
export async function agentState(half: Half): Promise<ProcessState> {
  const recorded = await readRecord(half);
  return recorded === undefined ? 'gone' : await stateOf(recorded);
}

/** Whether an agent has ever served the half and not taken its record back. */
export async function hasRecord(half: Half): Promise<boolean> {
  return (await readRecord(half)) !== undefined;
}

async function readRecord(half: Half): Promise<ProcessIdentity | undefined> {
  return parseIdentity(await readFile(recordPath(half), 'latin1').catch(() => ''));
}

function recordPath(half: Half): string {
  return join(half.path, 'agent');
}

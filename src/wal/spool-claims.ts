import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors.ts';
import { writeFileAtomically } from '../util/atomic-file.ts';
import { temporaryNameFor } from '../util/temporary-name.ts';
import {
  formatIdentity,
  isSame,
  ownIdentity,
  type ProcessIdentity,
  parseIdentity,
  stateOf,
} from './agent/process-identity.ts';
import type { Half } from './spool.ts';

/**
 * Takes a file for this process, so that nobody else moves it at the same time. Claims spare work, no more: whoever waits too long
 * for another's just does the work too.
 *
 * @returns false when a process that is at work has it
 */
export async function claim(half: Half, fileName: string): Promise<boolean> {
  const own = await ownIdentity();
  if (own === undefined) return false;
  if (await createClaim(half, fileName, own)) return true;
  if ((await claimantOf(half, fileName)) !== undefined) return false;
  // The process that had it is dead or stopped, or the claim is none.
  await breakClaim(half, fileName);
  return await createClaim(half, fileName, own);
}

/** The process that has claimed a file and is at work. */
export async function claimantOf(half: Half, fileName: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(claimPath(half, fileName), 'latin1').catch(() => '');
  const identity = parseIdentity(text);
  return identity !== undefined && (await stateOf(identity)) === 'at work' ? identity : undefined;
}

/** Gives a claim up. What somebody else has claimed meanwhile stays theirs. */
export async function release(half: Half, fileName: string): Promise<void> {
  if (await isOwn(half, fileName)) await unlink(claimPath(half, fileName)).catch(() => undefined);
}

/** Takes a claim away from a process that does not get anywhere. */
export async function breakClaim(half: Half, fileName: string): Promise<void> {
  await unlink(claimPath(half, fileName)).catch(() => undefined);
}

/** How many files processes have in flight; a claim of a dead one counts too. */
export async function countClaims(half: Half): Promise<number> {
  return (await readdir(join(half.path, 'claimed')).catch(() => [])).length;
}

function claimPath(half: Half, fileName: string): string {
  return join(half.path, 'claimed', fileName);
}

/** With its text from the first moment on: a claim without one is nobody's. */
async function createClaim({ path }: Half, fileName: string, own: ProcessIdentity): Promise<boolean> {
  // Not beside the claims, which are counted.
  const temporaryPath = temporaryNameFor(join(path, `claimed.${fileName}`));
  const options = { ifAbsent: true, isDurable: false, mode: 0o600, temporaryPath };
  try {
    await writeFileAtomically(join(path, 'claimed', fileName), Buffer.from(formatIdentity(own)), options);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isOwn(half: Half, fileName: string): Promise<boolean> {
  const [own, claimant] = [await ownIdentity(), await claimantOf(half, fileName)];
  return own !== undefined && claimant !== undefined && isSame(own, claimant);
}

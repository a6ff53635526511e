import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseWalFileName } from '../../postgres/wal-name.ts';
import { isTemporaryName } from '../../util/temporary-name.ts';
import type { Half, SpoolCall } from '../spool.ts';
import { claimantOf } from '../spool-claims.ts';
import { agentState, hasRecord } from './agent-record.ts';
import { isServerRun } from './server-run.ts';

/**
 * Removes what nobody will look for any more: the spools of former runs of the server, halves that served other settings, what a dead
 * agent has fetched for a recovery that is over, and in this half the claims of dead processes and what their fetches left
 * unfinished. What does not look like ours stays, and so does what cannot be removed: nothing depends on it. Whoever calls this is
 * the only agent.
 */
export async function sweepSpool(call: SpoolCall, half: Half): Promise<void> {
  const run = dirname(half.path);
  for (const name of await readdir(dirname(run))) {
    if (isServerRun(name) && name !== basename(run)) await removeTree(join(run, '..', name));
  }
  for (const name of await readdir(run)) {
    if (name === basename(half.path)) continue;
    const isReplaced = name.startsWith(`${call.direction}.`);
    if (isReplaced || (await isLeftByFetch(join(run, name)))) await removeTree(join(run, name));
  }
  for (const name of await readdir(join(half.path, 'claimed'))) {
    if (parseWalFileName(name) !== undefined && (await claimantOf(half, name)) === undefined) {
      await removeTree(join(half.path, 'claimed', name));
    }
  }
  if (call.direction === 'push') return;
  const fetched = join(half.path, 'fetched');
  for (const name of (await readdir(fetched)).filter(isTemporaryName)) await removeTree(join(fetched, name));
}

/** Only a half of an agent that has ended without cleaning up; one that nobody serves yet has no record of any. */
async function isLeftByFetch(path: string): Promise<boolean> {
  if (!basename(path).startsWith('fetch.')) return false;
  const half = { direction: 'fetch', path } as const;
  return (await hasRecord(half)) && (await agentState(half)) === 'gone';
}

async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

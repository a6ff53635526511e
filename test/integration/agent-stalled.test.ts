import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf, processStatus, runningAgent } from '../support/agent-processes.ts';
import { type ArchivingCluster, fillSegments, readyFiles, startArchiving } from '../support/archiving-cluster.ts';
import { killIfThere } from '../support/kill-if-there.ts';
import { planHang } from '../support/kill-plan.ts';
import {
  differingSegments,
  makeRecoverable,
  prepareRecovery,
  type RecoverableCluster,
} from '../support/recovering-server.ts';
import { startSeawall } from '../support/seawall.ts';
import { readArchiver, waitForPromotion } from '../support/server-state.ts';
import { waitFor } from '../support/wait-for.ts';

/** Less than the minute for which a call waits for an agent that is at work, also on a machine that stalls for some seconds. */
const atOnceMs = 30_000;

const ends = [
  ['killed', 'SIGKILL'],
  ['stopped', 'SIGSTOP'],
] as const;

/** What the agent has in flight is then what it hangs at. */
const oneJob = { SEAWALL_JOBS: '1' };

describe('a call that waits for a segment that the agent has in flight', () => {
  it.each(ends)('pushes it itself as soon as the agent is %s', async (_what, signal) => {
    await using plan = planHang('link', 'wal_005');
    await using archiving = await startArchiving({ environment: oneJob });
    const { cluster } = archiving;
    archiving.closeGate();
    const [first] = await fillSegments(cluster, 8);
    startSeawall(['agent', 'push'], {
      cwd: cluster.dataDirectory,
      env: { ...archiving.environment, ...plan.environment },
      asServerUser: true,
    });
    await waitFor('the agent to hang', () => plan.left().length === 0, { intervalMs: 5 });
    const agent = await runningAgent(cluster);
    try {
      expect(claimsOf(cluster, 'push', agent.processId)).toContain(first);
      archiving.openGate();
      await delay(1_000);
      expect(readyFiles(cluster)).toContain(first);

      process.kill(agent.processId, signal);
      await waitFor('the segment', () => !readyFiles(cluster).includes(first ?? ''), { timeoutMs: atOnceMs });
      await archiving.drained();
    } finally {
      killIfThere(agent.processId);
    }
    expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(8);
    expect((await readArchiver(cluster)).failedCount).toBe(0);
  });
});

describe('a recovery that waits for a segment that the agent has in flight', () => {
  let recoverable: RecoverableCluster;
  let archiving: ArchivingCluster;
  beforeAll(async () => {
    archiving = await startArchiving();
    recoverable = await makeRecoverable(archiving, 25);
  });
  afterAll(() => archiving[Symbol.asyncDispose]());

  it.each(ends)('fetches it itself as soon as the agent is %s', async (_what, signal) => {
    await using plan = planHang('rename', 'fetched');
    const environment = { ...plan.environment, ...oneJob };
    await using server = await prepareRecovery(recoverable, { environment });
    const started = server.start();
    const agent = await runningAgent(server, 'fetch');
    try {
      await waitFor('the agent to hang', () => plan.left().length === 0, { intervalMs: 5 });
      const claimed = claimsOf(server, 'fetch', agent.processId);
      expect(claimed).toHaveLength(1);
      // Recovery has come to that segment by now and waits, unless it was there before the agent.
      await delay(1_000);

      process.kill(agent.processId, signal);
      const isThere = () => server.log().includes(`restored log file "${claimed[0]}"`);
      await waitFor('the segment', isThere, { timeoutMs: atOnceMs });
      await started;
      await waitForPromotion(server);
    } finally {
      killIfThere(agent.processId);
    }
    expect(differingSegments(archiving.cluster, server, recoverable.names)).toEqual([]);
  });
});

it('an agent that is stopped for a while delays nobody, and goes on afterwards', async () => {
  await using archiving = await startArchiving();
  const { cluster } = archiving;
  await archiving.pileUp(20);
  const agent = await runningAgent(cluster);
  process.kill(agent.processId, 'SIGSTOP');
  try {
    const claimed = claimsOf(cluster, 'push', agent.processId);
    const areThrough = () => !readyFiles(cluster).some((name) => claimed.includes(name));
    await waitFor('what it had in flight', areThrough, { timeoutMs: atOnceMs });
    await archiving.drained();
  } finally {
    process.kill(agent.processId, 'SIGCONT');
  }
  const names = await archiving.pileUp(10);
  await archiving.drained();
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(20 + names.length);
  expect(processStatus(agent.processId)).toBeDefined();
});

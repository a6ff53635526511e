import { existsSync, readFileSync, renameSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  agentsOf,
  descriptorsOf,
  halfOf,
  peakMemoryBytes,
  processStatus,
  runningAgent,
  spooled,
  spoolOf,
} from '../support/agent-processes.ts';
import {
  type ArchivingCluster,
  fillSegments,
  readyFiles,
  startArchiving,
  wakeArchiver,
} from '../support/archiving-cluster.ts';
import { readArchiver } from '../support/server-state.ts';
import { waitFor } from '../support/wait-for.ts';

const mib = 1024 * 1024;

describe.each([14, 18] as const)('a backlog of PostgreSQL %i', (major) => {
  let archiving: ArchivingCluster;
  beforeAll(async () => {
    archiving = await startArchiving({ major });
  });
  afterAll(() => archiving[Symbol.asyncDispose]());

  it('is pushed by an agent, ahead of PostgreSQL, and every segment arrives as it is', async () => {
    archiving.closeGate();
    const names = await fillSegments(archiving.cluster, 40);
    const waiting = readyFiles(archiving.cluster).toSorted();
    archiving.admitFirst();
    await runningAgent(archiving.cluster);
    const isAhead = () => {
      const noted = new Set(spooled(archiving.cluster, 'push', 'pushed'));
      return waiting.slice(1).every((name) => noted.has(name));
    };
    await waitFor('the agent to be ahead', isAhead, { intervalMs: 5 });
    archiving.openGate();
    await archiving.drained();
    expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(names.length);
    expect(archiving.cluster.log()).not.toContain('seawall: ');
    await waitFor('the notes to go', () => spooled(archiving.cluster, 'push', 'pushed').length <= 1);
    await waitFor('the claims to go', () => spooled(archiving.cluster, 'push', 'claimed').length === 0);
  });

  it('has an agent below a shell, in a session of its own, with no file of the server open, nicer than the server', async () => {
    await archiving.pileUp(5);
    const agent = await runningAgent(archiving.cluster);
    const serverId = archiving.cluster.processId ?? 0;
    const statusOf = (processId: number) => processStatus(processId) ?? [];
    expect(readFileSync(`/proc/${agent.parentId}/cmdline`, 'utf8')).toMatch(/^\/bin\/sh\0/);
    expect(statusOf(agent.processId)[3]).toBe(String(agent.parentId));
    expect(statusOf(agent.processId)[3]).not.toBe(statusOf(serverId)[3]);
    await waitFor('its priority', () => Number(statusOf(agent.processId)[16]) === 5);
    expect(Number(readFileSync(`/proc/${agent.processId}/oom_score_adj`, 'utf8'))).toBe(900);
    const isShared = (name: string) => name === '/dev/null' || name.startsWith('anon_inode:');
    const ofServer = new Set(descriptorsOf(serverId).filter((name) => !isShared(name)));
    const ofAgent = [agent.processId, agent.parentId].flatMap(descriptorsOf);
    expect(ofAgent.filter((name) => ofServer.has(name))).toEqual([]);
    await archiving.drained();
  });

  it('is counted by PostgreSQL when it cannot be pushed, with the reason in its log, and goes through when that is gone', async () => {
    const { cluster, repository } = archiving;
    await archiving.pileUp(5);
    await runningAgent(cluster);
    await archiving.drained();
    const before = await readArchiver(cluster);
    renameSync(repository, `${repository}.away`);
    try {
      await fillSegments(cluster, 5);
      await waitFor('a failure', async () => (await readArchiver(cluster)).failedCount > before.failedCount);
      // The agent's own word, and that of the call.
      await waitFor(
        'the word of the agent',
        async () => {
          await wakeArchiver(cluster);
          return /the agent could not push this file.*cannot open/.test(cluster.log());
        },
        { intervalMs: 2_000 },
      );
      expect(cluster.log()).toMatch(/seawall: error: cannot open the directory/);
    } finally {
      renameSync(`${repository}.away`, repository);
    }
    await wakeArchiver(cluster);
    await archiving.drained();
    await waitFor('the words of the failures to go', () => spooled(cluster, 'push', 'failed').length === 0);
    await archiving.compareArchive();
  });

  it('has no agent any more when the server has ended, and a new one after an immediate restart, which removes the old spool', async () => {
    const { cluster } = archiving;
    await archiving.pileUp(5);
    const agent = await runningAgent(cluster);
    const former = spoolOf(cluster) ?? '';
    process.kill(agent.processId, 'SIGSTOP');
    try {
      await cluster.stop('immediate');
      await cluster.start();
    } finally {
      process.kill(agent.processId, 'SIGCONT');
    }
    await waitFor('the agent to end', () => processStatus(agent.processId) === undefined);
    await waitFor('its shell to end', () => processStatus(agent.parentId) === undefined);
    expect(halfOf(cluster, 'push') ?? '').not.toContain(former);
    await archiving.pileUp(5);
    await runningAgent(cluster);
    await waitFor('the former spool to go', () => !existsSync(former));
    await archiving.drained();
    await archiving.compareArchive();
  });

  it('needs no agent where that is switched off', async () => {
    const { cluster } = archiving;
    await archiving.setArchiveCommand({ flags: '--no-agent' });
    // A run of the server in which there has never been another command.
    await cluster.stop();
    await cluster.start();
    await archiving.pileUp(5);
    await archiving.drained();
    expect(spoolOf(cluster)).toBeUndefined();
    expect(agentsOf(cluster)).toEqual([]);
    await archiving.compareArchive();
  });
});

// Four jobs are the most that there are by default, and each compression takes another amount of memory for each of them.
it.each([
  [16, 16, 'zstd'],
  [16, 16, 'lz4'],
  [16, 16, 'brotli'],
  // It is slow.
  [6, 8, 'lzma'],
])(
  'an agent that pushes %i segments of %i MiB as %s has never more than 200 MiB',
  async (count, segmentSizeMib, compression) => {
    const flags = `--compression ${compression} --jobs 4`;
    await using archiving = await startArchiving({ segmentSizeMib, flags });
    await archiving.pileUp(count);
    const agent = await runningAgent(archiving.cluster);
    await archiving.drained();
    expect(peakMemoryBytes(agent.processId)).toBeLessThan(200 * mib);
    await archiving.compareArchive();
  },
);

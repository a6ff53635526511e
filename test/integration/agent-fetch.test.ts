import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { peakMemoryBytes, processStatus, runningAgent } from '../support/agent-processes.ts';
import { startArchiving } from '../support/archiving-cluster.ts';
import { differingSegments, makeRecoverable, prepareRecovery } from '../support/recovering-server.ts';
import { readTimeline, waitForPromotion } from '../support/server-state.ts';

const mib = 1024 * 1024;

// 16 MiB, as nearly everywhere: the memory of the agent depends on it.
it.each([
  [14, 1],
  [18, 16],
] as const)(
  'a recovery of PostgreSQL %i in segments of %i MiB gets each as it is, from an agent below a shell that has never more than 200 MiB',
  async (major, segmentSizeMib) => {
    await using archiving = await startArchiving({ major, segmentSizeMib });
    const recoverable = await makeRecoverable(archiving, 20);
    await using server = await prepareRecovery(recoverable);
    const started = server.start();
    const { processId, parentId } = await runningAgent(server, 'fetch');
    expect(readFileSync(`/proc/${parentId}/cmdline`, 'utf8')).toMatch(/^\/bin\/sh\0/);
    await started;
    await waitForPromotion(server);
    expect(peakMemoryBytes(processId)).toBeLessThan(200 * mib);
    expect(processStatus(processId)?.[16]).toBe('5');
    expect(differingSegments(archiving.cluster, server, recoverable.names)).toEqual([]);
    expect(await readTimeline(server)).toBe(2);
    expect(server.log()).not.toContain('seawall: ');
  },
);

import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { halfOf, processStatus, runningAgent } from '../support/agent-processes.ts';
import {
  type ArchivingCluster,
  archivedBytes,
  compareArchive,
  fillSegments,
  startArchiving,
  waitUntilArchived,
} from '../support/archiving-cluster.ts';
import type { Server } from '../support/postgres-server.ts';
import { describeWithTools } from '../support/postgres-tools.ts';
import {
  differingSegments,
  makeRecoverable,
  prepareRecovery,
  setRestoreCommand,
} from '../support/recovering-server.ts';
import { runCommand } from '../support/run-command.ts';
import { waitForPromotion } from '../support/server-state.ts';
import { giveToServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

const settings = { wal_retrieve_retry_interval: '200ms' };

/** Waits until a standby has taken the segments from the archive, as they are. */
async function follows(standby: Server, primary: Server, names: readonly string[]): Promise<void> {
  await waitFor('the standby to follow', () => differingSegments(primary, standby, names).length === 0);
}

/** A standby that has followed through the archive, with an agent, and archives into it when it is promoted. */
async function startStandby(archiving: ArchivingCluster): Promise<Server> {
  const recoverable = await makeRecoverable(archiving, 20);
  await using stack = new AsyncDisposableStack();
  const standby = stack.use(
    await prepareRecovery(recoverable, {
      signalFile: 'standby.signal',
      settings: { ...settings, archive_mode: 'on', archive_command: archiving.archiveCommand },
    }),
  );
  await standby.start();
  await runningAgent(standby, 'fetch');
  await follows(standby, archiving.cluster, recoverable.names);
  stack.move();
  return standby;
}

async function promote(standby: Server, { repository }: ArchivingCluster): Promise<void> {
  await standby.query('SELECT pg_promote()');
  await waitForPromotion(standby);
  await fillSegments(standby, 12);
  await waitUntilArchived(standby);
  expect(await compareArchive(standby, repository)).toBeGreaterThanOrEqual(12);
  expect(await archivedBytes(repository, '00000002.history')).toBeDefined();
}

it.each([14, 18] as const)(
  'a standby of PostgreSQL %i with an agent finds what is archived later, never a history in the spool, and is promoted',
  async (major) => {
    await using archiving = await startArchiving({ major });
    const { cluster } = archiving;
    await using standby = await startStandby(archiving);
    // The archive has ended, and goes on.
    for (let turn = 0; turn < 3; turn += 1) {
      const names = await fillSegments(cluster, 4);
      await archiving.drained();
      await follows(standby, cluster, names);
    }
    await cluster.stop();
    const half = halfOf(standby, 'fetch') ?? '';
    await promote(standby, archiving);
    expect(
      existsSync(half) ? readdirSync(join(half, 'fetched')).filter((name) => name.endsWith('.history')) : [],
    ).toEqual([]);
    expect(standby.log()).not.toMatch(/seawall: (warn|error)/);
  },
);

describeWithTools('a former primary', (tools) => {
  it('that pg_rewind turns into a standby follows the new timeline, whatever is left in its spool', async () => {
    await using archiving = await startArchiving({ major: tools.major });
    const { cluster, repository } = archiving;
    await using standby = await startStandby(archiving);
    await promote(standby, archiving);
    // It has gone on meanwhile, with an agent that is at work until the end.
    await archiving.pileUp(12);
    const agent = await runningAgent(cluster);
    await cluster.stop();
    // It ends within a second; until then it may take back what it had in flight, and pg_rewind fails where a file goes before its eyes.
    await waitFor('the agent to end', () => processStatus(agent.processId) === undefined);

    const source = `--source-server=host=${standby.directory} port=5432 user=postgres dbname=postgres`;
    const rewind = [`--target-pgdata=${cluster.dataDirectory}`, source];
    const environment = { PATH: process.env['PATH'] ?? '' };
    const result = await runCommand(tools.path('pg_rewind'), rewind, {
      asServerUser: true,
      env: environment,
      cwd: '/',
    });
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    writeFileSync(join(cluster.dataDirectory, 'standby.signal'), '');
    giveToServerUser(join(cluster.dataDirectory, 'standby.signal'));
    appendFileSync(join(cluster.dataDirectory, 'postgresql.auto.conf'), "wal_retrieve_retry_interval = '200ms'\n");
    await setRestoreCommand(cluster, {});
    // It is consistent, and lets us in, only behind the end that the other one had.
    const started = cluster.start();
    const names = await fillSegments(standby, 12);
    await waitUntilArchived(standby);
    await started;
    await follows(cluster, standby, names);
    expect(await compareArchive(standby, repository)).toBeGreaterThanOrEqual(24);
  });
});

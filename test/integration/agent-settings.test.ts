import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runningAgent, spooled } from '../support/agent-processes.ts';
import { archivedBytes, fillSegments, startArchiving } from '../support/archiving-cluster.ts';
import { giveTreeToServerUser } from '../support/give-tree.ts';
import {
  differingSegments,
  makeRecoverable,
  prepareRecovery,
  setRestoreCommand,
} from '../support/recovering-server.ts';
import { prepareChange, repositoryWays } from '../support/repository-ways.ts';
import { waitForPromotion } from '../support/server-state.ts';
import { waitFor } from '../support/wait-for.ts';

/** So that only what a test says names a repository. */
const environment = { SEAWALL_REPOSITORY: '' };

describe.each(repositoryWays)('when %s leads to another repository', (way) => {
  it('no note of the old one is believed for archive_command', async () => {
    await using archiving = await startArchiving({ environment });
    const { cluster } = archiving;
    const repository = prepareChange(way, archiving);
    await archiving.setArchiveCommand(repository.before);
    // No agent starts on a configuration file that was changed in this very second.
    await delay(1_200);
    await archiving.pileUp(4);
    await runningAgent(cluster);
    await archiving.drained();

    archiving.closeGate();
    const names = await fillSegments(cluster, 8);
    const areNoted = () => names.every((name) => spooled(cluster, 'push', 'pushed').includes(name));
    await waitFor('the notes', areNoted, { intervalMs: 5 });
    repository.change();
    await archiving.setArchiveCommand(repository.after);
    archiving.openGate();
    await archiving.drained();
    // PostgreSQL had begun with the first of them.
    for (const name of names.slice(1)) expect(await archivedBytes(repository.other, name), name).toBeDefined();
  });

  it('no segment fetched from the old one is used for restore_command', async () => {
    await using archiving = await startArchiving({ environment });
    const repository = prepareChange(way, archiving);
    await archiving.setArchiveCommand(repository.before);
    const recoverable = await makeRecoverable(archiving, 16);
    const { names } = recoverable;
    const [kept, left] = [names.slice(0, 8), names.slice(8)];
    mkdirSync(join(repository.other, 'wal_005'));
    for (const name of kept) {
      cpSync(join(archiving.repository, 'wal_005', `${name}.zst`), join(repository.other, 'wal_005', `${name}.zst`));
    }
    giveTreeToServerUser(repository.other);

    const gate = { path: join(archiving.home, 'wait'), fileName: names[5] ?? '' };
    writeFileSync(gate.path, '');
    await using server = await prepareRecovery(recoverable, { ...repository.before, gate, environment });
    const started = server.start();
    const areFetched = () => left.slice(0, -1).every((name) => spooled(server, 'fetch', 'fetched').includes(name));
    await waitFor('the agent to be ahead', areFetched, { intervalMs: 5 });
    repository.change();
    await setRestoreCommand(server, repository.after);
    rmSync(gate.path);
    await started;
    await waitForPromotion(server);
    expect(differingSegments(archiving.cluster, server, kept)).toEqual([]);
    expect(differingSegments(archiving.cluster, server, left)).toEqual(left);
  });
});

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { spoolName } from '../../src/wal/spool.ts';
import { spooled } from '../support/agent-processes.ts';
import {
  type ArchivingCluster,
  archivedBytes,
  compareArchive,
  fillSegments,
  startArchiving,
  waitUntilArchived,
} from '../support/archiving-cluster.ts';
import { prepareServer } from '../support/postgres-server.ts';
import { copyTree } from '../support/recovering-server.ts';
import { removeTree } from '../support/remove-tree.ts';
import { startSeawall } from '../support/seawall.ts';
import { giveToServerUser } from '../support/server-user.ts';
import { waitFor } from '../support/wait-for.ts';

describe('a spool with notes that were true once', () => {
  let archiving: ArchivingCluster;
  let names: readonly string[];
  let snapshot: string;

  /** A snapshot of a crashed server with a spool that says of all that waits that it is durable, and a repository that is empty. */
  beforeEach(async () => {
    archiving = await startArchiving();
    const { cluster, home, repository } = archiving;
    archiving.closeGate();
    names = await fillSegments(cluster, 10);
    const agent = startSeawall(['agent', 'push'], {
      cwd: cluster.dataDirectory,
      env: archiving.environment,
      asServerUser: true,
    });
    const areNoted = () => names.every((name) => spooled(cluster, 'push', 'pushed').includes(name));
    await waitFor('the notes', areNoted, { intervalMs: 5 });
    // Then nothing goes while it is copied.
    await waitFor('the claims to go', () => spooled(cluster, 'push', 'claimed').length === 0);
    const spool = join(cluster.dataDirectory, 'pg_wal', spoolName);
    copyTree(spool, join(home, 'spool'));
    copyTree(join(cluster.dataDirectory, 'postmaster.pid'), join(home, 'postmaster.pid'));
    await cluster.stop('immediate');
    await agent.finished;
    await removeTree(spool);
    copyTree(join(home, 'spool'), spool);
    snapshot = join(home, 'snapshot');
    copyTree(cluster.dataDirectory, snapshot);
    copyTree(join(home, 'postmaster.pid'), join(snapshot, 'postmaster.pid'));
    renameSync(repository, `${repository}.old`);
    mkdirSync(repository);
    giveToServerUser(repository);
    archiving.openGate();
  });
  afterEach(() => archiving[Symbol.asyncDispose]());

  it('is not believed by a server that is started anew after an immediate stop', async () => {
    await archiving.cluster.start();
    await archiving.drained();
    expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(names.length);
    for (const name of names) expect(await archivedBytes(archiving.repository, name), name).toBeDefined();
  });

  it('is not believed by a server that is set back to a snapshot', async () => {
    const { cluster, repository } = archiving;
    await cluster.start();
    await fillSegments(cluster, 5);
    await archiving.drained();
    await cluster.stop('immediate');
    await removeTree(cluster.dataDirectory);
    copyTree(snapshot, cluster.dataDirectory);
    rmSync(repository, { recursive: true, maxRetries: 20 });
    mkdirSync(repository);
    giveToServerUser(repository);
    await cluster.start();
    await archiving.drained();
    expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(names.length);
    for (const name of names) expect(await archivedBytes(repository, name), name).toBeDefined();
  });

  it('is not believed by a clone, beside which the original goes on', async () => {
    const { cluster, home, repository, environment } = archiving;
    await cluster.start();
    await archiving.drained();
    renameSync(repository, `${repository}.original`);
    mkdirSync(repository);
    giveToServerUser(repository);
    const dataDirectory = join(home, 'clone');
    copyTree(snapshot, dataDirectory);
    await using clone = await prepareServer({ major: cluster.major, dataDirectory, environment });
    await clone.start();
    await fillSegments(clone, 3);
    await waitUntilArchived(clone);
    expect(await compareArchive(clone, repository)).toBeGreaterThanOrEqual(names.length);
    for (const name of names) expect(await archivedBytes(repository, name), name).toBeDefined();
  });
});

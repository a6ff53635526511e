import { mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runningAgent, spooled } from '../support/agent-processes.ts';
import { fillSegments, readyFiles, startArchiving, wakeArchiver } from '../support/archiving-cluster.ts';
import { mayMount, mountSmallFileSystem } from '../support/mounts.ts';
import { copyTree } from '../support/recovering-server.ts';
import { readArchiver } from '../support/server-state.ts';
import { waitFor } from '../support/wait-for.ts';

const needsMounts = 'this user may not mount file systems';

/** Takes all the room that a file system has left. */
function fill(directory: string): Disposable {
  const path = join(directory, 'ballast');
  for (let chunk = 1024 * 1024; chunk >= 1; chunk = Math.floor(chunk / 2)) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(chunk), { flag: 'a' });
    } catch {
      // It is full, but for less than this.
    }
  }
  expect(statfsSync(directory).bavail).toBe(0);
  return { [Symbol.dispose]: () => rmSync(path) };
}

it('a pg_wal that is full stops no segment from being archived, and the agent comes back when there is room', async ({
  skip,
}) => {
  if (!mayMount) skip(needsMounts);
  await using archiving = await startArchiving({ settings: { wal_keep_size: '64MB', min_wal_size: '8MB' } });
  const { cluster } = archiving;
  const walDirectory = join(cluster.dataDirectory, 'pg_wal');
  await cluster.stop();
  renameSync(walDirectory, `${walDirectory}.plain`);
  mkdirSync(walDirectory);
  using _mounted = mountSmallFileSystem(walDirectory, 96);
  copyTree(`${walDirectory}.plain/.`, walDirectory);
  await cluster.start();
  archiving.closeGate();
  const names = await fillSegments(cluster, 10);
  // The server notes running transactions from time to time, and has to have a segment for that: a full pg_wal stops it.
  await cluster.query("SELECT pg_logical_emit_message(true, 'fill', 'the beginning of a segment')");
  {
    using _full = fill(walDirectory);
    const logged = cluster.log().length;
    archiving.openGate();
    await archiving.drained();
    const said =
      cluster
        .log()
        .slice(logged)
        .match(/seawall: .*/g) ?? [];
    expect(said.length).toBeLessThanOrEqual(names.length);
    expect(said.filter((line) => !line.startsWith('seawall: warn: going on without the agent'))).toEqual([]);
  }
  expect((await readArchiver(cluster)).failedCount).toBe(0);
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(names.length);
  await archiving.pileUp(10);
  await runningAgent(cluster);
  await archiving.drained();
  await archiving.compareArchive();
  await cluster.stop();
});

it('a repository that is full fails every push, of which PostgreSQL hears, and takes all when there is room again', async ({
  skip,
}) => {
  if (!mayMount) skip(needsMounts);
  await using archiving = await startArchiving();
  const { cluster, repository } = archiving;
  using _mounted = mountSmallFileSystem(repository, 64);
  await archiving.pileUp(4);
  await archiving.drained();
  let names: string[];
  {
    using _full = fill(repository);
    names = await fillSegments(cluster, 10);
    await waitFor('a failure', async () => (await readArchiver(cluster)).failedCount > 0);
    await waitFor(
      'the reason',
      async () => {
        await wakeArchiver(cluster);
        return /the agent could not push this file.*ENOSPC/.test(cluster.log());
      },
      { intervalMs: 2_000 },
    );
    expect(cluster.log()).toMatch(/seawall: cause: ENOSPC/);
    expect(readyFiles(cluster)).toEqual(expect.arrayContaining(names));
    const noted = spooled(cluster, 'push', 'pushed');
    expect(names.filter((name) => noted.includes(name))).toEqual([]);
  }
  await wakeArchiver(cluster);
  await archiving.drained();
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(names.length);
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ArchivingCluster, fillSegments, startArchiving } from '../support/archiving-cluster.ts';
import { startContained } from '../support/contained-server.ts';
import { killIfThere } from '../support/kill-if-there.ts';
import { mayMount } from '../support/mounts.ts';
import { waitFor } from '../support/wait-for.ts';

const needsNamespaces = 'this user may not make namespaces';

async function makeStopped(): Promise<ArchivingCluster> {
  const archiving = await startArchiving();
  await archiving.cluster.stop();
  return archiving;
}

it('a server that is process 1 loses no connection when its agent is killed with -9', async ({ skip }) => {
  if (!mayMount) skip(needsNamespaces);
  await using archiving = await makeStopped();
  const { cluster, environment } = archiving;
  await using server = await startContained(cluster, cluster.dataDirectory, environment);
  const witness = await server.connect();
  await witness.query('CREATE TEMPORARY TABLE here (n int)');
  for (let turn = 0; turn < 4; turn += 1) {
    archiving.closeGate();
    await fillSegments(server, 20);
    archiving.openGate();
    const [agent = 0] = await waitFor('an agent', () => nonEmpty(server.agents()), { intervalMs: 5 });
    // A call that comes before the agent is at work starts another one, which ends by itself.
    killIfThere(agent);
    await archiving.drained();
    for (const other of server.agents()) killIfThere(other);
  }
  expect((await witness.query('SELECT count(*)::int AS n FROM here')).rows).toEqual([{ n: 0 }]);
  await witness.end();
  expect(server.log()).not.toMatch(/terminated by signal|crash of another server process|not properly shut down/);
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(80);
});

it('two servers with one data directory path, process id and network keep out of each other’s way', async ({
  skip,
}) => {
  if (!mayMount) skip(needsNamespaces);
  await using one = await makeStopped();
  await using other = await makeStopped();
  const path = join(one.home, 'data');
  mkdirSync(path);
  // Started at once, so that even the second of their start is likely to be the same.
  const started = [one, other].map(({ cluster, environment }) => startContained(cluster, path, environment));
  await using server = await (started[0] as (typeof started)[number]);
  await using otherServer = await (started[1] as (typeof started)[number]);
  for (const { closeGate } of [one, other]) closeGate();
  await Promise.all([fillSegments(server, 20), fillSegments(otherServer, 20)]);
  for (const { openGate } of [one, other]) openGate();
  await waitFor('both agents', () => server.agents().length === 1 && otherServer.agents().length === 1, {
    intervalMs: 5,
  });
  for (const archiving of [one, other]) {
    await archiving.drained();
    expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(20);
  }
  for (const { log } of [server, otherServer]) expect(log()).not.toContain('seawall: ');
});

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { agentsOf, processStatus, runningAgent, spooled } from '../support/agent-processes.ts';
import { fillSegments, startArchiving } from '../support/archiving-cluster.ts';
import { startCommand } from '../support/run-command.ts';
import { runSeawall, seawallEnvironment, seawallPath, startSeawall } from '../support/seawall.ts';
import { waitFor } from '../support/wait-for.ts';

it('an agent started by hand serves the server in whose directory it is, alone, until it is told to end', async () => {
  await using archiving = await startArchiving();
  const { cluster } = archiving;
  const options = { cwd: cluster.dataDirectory, env: archiving.environment, asServerUser: true };
  const agent = startSeawall(['agent'], options);
  const { processId } = await runningAgent(cluster);
  const second = await runSeawall(['agent', 'push'], options);
  expect(second).toMatchObject({ exitCode: 75, stderr: expect.stringContaining('another agent') });
  archiving.closeGate();
  const names = await fillSegments(cluster, 10);
  const areNoted = () => names.every((name) => spooled(cluster, 'push', 'pushed').includes(name));
  await waitFor('the agent to be ahead', areNoted, { intervalMs: 5 });
  archiving.openGate();
  await archiving.drained();
  // All calls were hot, so none has started another agent.
  expect(agentsOf(cluster).map((running) => running.processId)).toEqual([processId, processId]);
  process.kill(processId, 'SIGTERM');
  expect(await agent.finished).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('told to') });
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(10);
});

it('an agent is as nice as the server where that is nicer than agents are', async () => {
  await using archiving = await startArchiving();
  const { cluster, environment } = archiving;
  const agent = startCommand('nice', ['-n', '10', seawallPath, 'agent', 'push'], {
    cwd: cluster.dataDirectory,
    env: { ...seawallEnvironment, ...environment },
    asServerUser: true,
  });
  const { processId } = await runningAgent(cluster);
  expect(getPriority(processId)).toBe(10);
  process.kill(processId, 'SIGTERM');
  expect(await agent.finished).toMatchObject({ exitCode: 0 });
});

it('an agent ends when it has had nothing to do for as long as the settings say', async () => {
  await using archiving = await startArchiving({ flags: '--agent-idle 2s' });
  const { cluster } = archiving;
  /** On a machine that stalls it may be gone before anybody looks: then the next pile has another one. */
  const agentOfPile = async () => {
    await archiving.pileUp(8);
    await archiving.drained();
    return agentsOf(cluster)[0];
  };
  const { processId, parentId } = await waitFor('an agent', agentOfPile);
  // Without the flag it would stay for a minute.
  await waitFor('the agent to end', () => processStatus(processId) === undefined, { timeoutMs: 40_000 });
  await waitFor('its shell to end', () => processStatus(parentId) === undefined);
  await waitFor('another agent', agentOfPile);
  await archiving.compareArchive();
});

it('an agent started by hand says what is wrong where it has nothing to serve', async () => {
  await using archiving = await startArchiving();
  const { cluster, home } = archiving;
  const run = (args: readonly string[], cwd = cluster.dataDirectory) =>
    runSeawall(['agent', ...args], { cwd, env: archiving.environment, asServerUser: true });
  const refused = (exitCode: number, text: string) => ({ exitCode, stderr: expect.stringContaining(text) });
  expect(await run(['sideways'])).toMatchObject(refused(64, 'unknown direction'));
  expect(await run(['--no-agent'])).toMatchObject(refused(78, 'switched off'));
  expect(await run([], home)).toMatchObject(refused(78, 'not a data directory'));
  await cluster.stop();
  expect(await run([])).toMatchObject(refused(75, 'no running server'));
});

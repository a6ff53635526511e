import { expect, it } from 'vitest';
import { startArchiving } from '../support/archiving-cluster.ts';
import { planKills } from '../support/kill-plan.ts';
import { differingSegments, makeRecoverable, prepareRecovery } from '../support/recovering-server.ts';
import { readTimeline, waitForPromotion } from '../support/server-state.ts';

/** Three are enough even for every step, see SEAWALL_TEST_KILL_STRIDE. */
const mostRounds = 8;

it('a fetch agent that is killed right before each of its steps in turn changes nothing of what is recovered', async () => {
  await using plan = planKills({ steps: 140, endSteps: 20 });
  await using archiving = await startArchiving();
  const recoverable = await makeRecoverable(archiving, 100);
  for (let round = 0; round < mostRounds && plan.left().length > 0; round += 1) {
    await using server = await prepareRecovery(recoverable, { environment: plan.environment });
    await server.start();
    await waitForPromotion(server);
    expect(differingSegments(archiving.cluster, server, recoverable.names)).toEqual([]);
    expect(await readTimeline(server)).toBe(2);
    // An agent that ends takes its half of the spool away, maybe right before the eyes of a call.
    const said = server.log().match(/seawall: .*/g) ?? [];
    expect(said.filter((line) => !line.startsWith('seawall: warn: going on without the agent'))).toEqual([]);
  }
  expect(plan.left()).toEqual([]);
});

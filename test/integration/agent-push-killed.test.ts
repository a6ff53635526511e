import { expect, it } from 'vitest';
import { startArchiving } from '../support/archiving-cluster.ts';
import { planKills } from '../support/kill-plan.ts';
import { readArchiver } from '../support/server-state.ts';

/** Five are enough even for every step, see SEAWALL_TEST_KILL_STRIDE. */
const mostRounds = 12;

it('a push agent that is killed right before each of its steps in turn loses no segment', async () => {
  await using plan = planKills({ steps: 140, endSteps: 30 });
  await using archiving = await startArchiving({ environment: plan.environment });
  for (let round = 0; round < mostRounds && plan.left().length > 0; round += 1) {
    await archiving.pileUp(60);
    await archiving.drained();
  }
  expect(plan.left()).toEqual([]);
  expect(await archiving.compareArchive()).toBeGreaterThanOrEqual(60);
  expect((await readArchiver(archiving.cluster)).failedCount).toBe(0);
  // Stored by an agent that was killed before it could say so.
  const said = archiving.cluster.log().match(/seawall: .*(?= fileName=)/g) ?? [];
  expect(said.filter((line) => line !== 'seawall: warn: archived already, with the same bytes')).toEqual([]);
});

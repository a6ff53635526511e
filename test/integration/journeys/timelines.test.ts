import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import { archiveEverything, readTimeline, waitForPromotion } from '../../support/server-state.ts';

const majors: readonly PostgresMajor[] = [14, 18];

describe.each(majors)('a PostgreSQL %i cluster with a second timeline', (major) => {
  let journey: Journey;
  /** Taken before the two timelines part, on the first after that, and on the second. */
  let common: string;
  let onFirst: string;
  let onSecond: string;
  let endOfFirst: LedgerState;
  let endOfSecond: LedgerState;

  beforeAll(async () => {
    journey = await startJourney({ major });
    const { cluster } = journey;
    await createLedger(cluster);
    await writeBatches(cluster, 5);
    common = await journey.backUp();
    await writeBatches(cluster, 5);
    await cluster.query("SELECT pg_create_restore_point('fork')");
    await writeBatches(cluster, 5);
    onFirst = await journey.backUp();
    await writeBatches(cluster, 5);
    endOfFirst = await readLedger(cluster);
    await journey.destroyCluster();

    const back = ['--target-name', 'fork', '--target-action', 'promote'];
    const second = await journey.restore(common, back, { dataDirectory: cluster.dataDirectory });
    await second.start();
    await waitForPromotion(second);
    expect((await readLedger(second)).batches).toBe(10);
    await writeBatches(second, 1);
    await archiveEverything(second);
    onSecond = await journey.backUpOf(second);
    await writeBatches(second, 1);
    endOfSecond = await readLedger(second);
    await second.stop('fast');
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it.each([
    ['latest', 'second'],
    ['2', 'second'],
    ['current', 'first'],
    ['1', 'first'],
  ])('is restored from before the fork along timeline %s, the %s', async (timeline, which) => {
    await using server = await journey.restore(common, ['--target-timeline', timeline]);
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, which === 'first' ? endOfFirst : endOfSecond);
    expect(await readTimeline(server)).toBe(3);
  });

  it('is restored along the first timeline from the newest backup on it', async () => {
    const args = ['--target-timeline', '1'];
    expect(await journey.planOf(...args)).toContain(onFirst);
    await using server = await journey.restore('LATEST', args);
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, endOfFirst);
  });

  it('is restored along the second timeline from the newest backup of all', async () => {
    expect(await journey.planOf()).toContain(onSecond);
    await using server = await journey.restore('LATEST');
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, endOfSecond);
  });

  it('is not restored along a timeline that the backup does not lead to', async () => {
    const refusals = [
      { backup: onFirst, timeline: '2', reason: /timeline 2 left timeline 1 at \S+, before the backup ended at / },
      { backup: onSecond, timeline: '1', reason: /timeline 1 does not come from timeline 2/ },
      { backup: common, timeline: '7', reason: /the repository has no history file for it/ },
    ];
    for (const { backup, timeline, reason } of refusals) {
      const directory = join(journey.cluster.directory, 'refused');
      const result = await journey.run('restore', backup, directory, '--target-timeline', timeline);
      expect(result).toMatchObject({ exitCode: 64, stdout: '', stderr: expect.stringMatching(reason) });
      expect(existsSync(directory)).toBe(false);
    }
  });
});

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { archiveEverything, readArchiver, waitForPromotion } from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

it.each([14, 18] as const)(
  'a clone of a PostgreSQL %i cluster cannot spoil the archive of the original',
  async (major) => {
    await using journey = await startJourney({ major, segmentSizeMib: 1 });
    const { cluster } = journey;
    await createLedger(cluster);
    await journey.backUp();
    await archiveEverything(cluster);
    await cluster.stop();
    const copy = join(journey.cluster.directory, 'clone');
    execFileSync('cp', ['-a', cluster.dataDirectory, copy]);
    await cluster.start();
    await writeBatches(cluster, 2);
    await archiveEverything(cluster);

    await using clone = await journey.serve(copy);
    await clone.start();
    await writeBatches(clone, 5);
    await clone.query('SELECT pg_switch_wal()');
    await waitFor('the refusal', async () => (await readArchiver(clone)).failedCount > 0);
    expect(clone.log()).toContain('exit code 65');
    expect(clone.log()).toMatch(
      /holds other bytes than pg_wal\/[0-9A-F]{24}.*\n.*hint: Two servers archive into this repository/,
    );
    await clone.stop('immediate');

    await writeBatches(cluster, 2);
    const end = await readLedger(cluster);
    await journey.destroyCluster();
    await using server = await journey.restore('LATEST');
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  },
);

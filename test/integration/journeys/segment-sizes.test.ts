import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, whileLedgerRests } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { startLoad } from '../../support/load.ts';
import { readValue, waitForPause } from '../../support/server-state.ts';

it.each([
  { major: 14, segmentSizeMib: 64 },
  { major: 18, segmentSizeMib: 64 },
  { major: 18, segmentSizeMib: 1 },
] as const)(
  'a PostgreSQL $major cluster with segments of $segmentSizeMib MiB comes back to a time',
  async (cluster) => {
    await using journey = await startJourney(cluster);
    await createLedger(journey.cluster);
    await using load = startLoad(journey.cluster);
    await load.more(5);
    await journey.backUp();
    await load.more(20);
    const then = await whileLedgerRests(journey.cluster, async (client) => ({
      time: await readValue(client, 'clock_timestamp()'),
      state: await readLedger(client),
    }));
    await load.more(5);
    await load.stop();
    await journey.destroyCluster();

    await using server = await journey.restore('LATEST', ['--target-time', then.time]);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, then.state);
    expect(await readValue(server, "current_setting('wal_segment_size')")).toBe(`${cluster.segmentSizeMib}MB`);
    const archived = readdirSync(join(journey.repositoryPath, 'wal_005')).filter((name) =>
      /^[0-9A-F]{24}\.zst$/.test(name),
    );
    expect(archived.length).toBeGreaterThan(cluster.segmentSizeMib === 1 ? 3 : 2);
  },
);

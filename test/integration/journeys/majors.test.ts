import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { readValue, waitForPause, waitForPromotion } from '../../support/server-state.ts';

it.each([15, 16, 17] as const)(
  'a PostgreSQL %i cluster, with checksums or without, comes back to a restore point, and opens',
  async (major) => {
    await using journey = await startJourney({ major, checksums: major !== 16 });
    const { cluster } = journey;
    await createLedger(cluster);
    await cluster.query('CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS n');
    await writeBatches(cluster, 3);
    await journey.backUp();
    await writeBatches(cluster, 3);
    await cluster.query("SELECT pg_create_restore_point('here')");
    const state = await readLedger(cluster);
    await writeBatches(cluster, 3);
    await journey.destroyCluster();

    await using server = await journey.restore('LATEST', ['--target-name', 'here']);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, state);
    await server.query('SELECT pg_wal_replay_resume()');
    await waitForPromotion(server);
    await writeBatches(server, 1);
    expect(await readValue(server, 'SELECT count(*) FROM unlogged')).toBe('0');
    await server.query('INSERT INTO unlogged VALUES (1)');
  },
);

import { lstatSync, mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { archiveEverything, waitForPromotion } from '../../support/server-state.ts';
import { giveToServerUser } from '../../support/server-user.ts';

it.each([14, 18] as const)(
  'a PostgreSQL %i cluster whose data directory and pg_wal are links archives, is backed up, and comes back',
  async (major) => {
    await using journey = await startJourney({ major, segmentSizeMib: 1 });
    const { cluster } = journey;
    await cluster.stop();
    const { dataDirectory, directory } = cluster;
    const elsewhere = join(directory, 'another disk');
    mkdirSync(elsewhere);
    giveToServerUser(elsewhere);
    for (const path of [join(dataDirectory, 'pg_wal'), dataDirectory]) {
      const place = join(elsewhere, path === dataDirectory ? 'data' : 'pg_wal');
      renameSync(path, place);
      symlinkSync(place, path);
    }
    await cluster.start();
    await createLedger(cluster);
    await writeBatches(cluster, 3);
    await journey.backUp(dataDirectory);
    await writeBatches(cluster, 3);
    await archiveEverything(cluster);
    const end = await readLedger(cluster);
    await cluster.stop();

    await using server = await journey.restore('LATEST');
    // The log of the copy lies in its own directory, never in that of the original.
    expect(lstatSync(join(server.dataDirectory, 'pg_wal')).isDirectory()).toBe(true);
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  },
);

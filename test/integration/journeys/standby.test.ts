import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, type RestoredServer, startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import type { Server } from '../../support/postgres-server.ts';
import {
  archiveEverything,
  readArchiver,
  readTimeline,
  readValue,
  waitForPromotion,
} from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

const majors: readonly PostgresMajor[] = [14, 18];

describe.each(majors)('a standby of PostgreSQL %i that was restored', (major) => {
  let journey: Journey;
  let standby: RestoredServer;

  /** Writes at the primary and waits until the standby has it. */
  const follows = async (): Promise<void> => {
    await writeBatches(journey.cluster, 3);
    const state = await readLedger(journey.cluster);
    await waitFor('the standby to follow', async () => (await readLedger(standby)).batches === state.batches);
    await expectLedger(standby, state);
  };
  /** From here on the primary's address is known. */
  const stream = async (to: Server): Promise<void> => {
    const { PGHOST, PGPORT, PGUSER } = to.clientEnvironment;
    await standby.query(`ALTER SYSTEM SET primary_conninfo = 'host=${PGHOST} port=${PGPORT} user=${PGUSER}'`);
    await standby.query('SELECT pg_reload_conf()');
    await waitFor('streaming', async () => (await readValue(to, 'SELECT count(*) FROM pg_stat_replication')) === '1');
  };

  beforeAll(async () => {
    // A standby without a primary to stream from asks the archive again after this time.
    journey = await startJourney({ major, settings: { wal_retrieve_retry_interval: '500ms' } });
    await createLedger(journey.cluster);
    await writeBatches(journey.cluster, 3);
    await journey.backUp();
    standby = await journey.restore('LATEST', ['--standby']);
    await standby.start();
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it('follows through the archive, by streaming while the archive is gone, and takes over', async () => {
    expect(existsSync(join(standby.dataDirectory, 'standby.signal'))).toBe(true);
    await writeBatches(journey.cluster, 3);
    await archiveEverything(journey.cluster);
    const archived = await readLedger(journey.cluster);
    await waitFor('the standby to follow', async () => (await readLedger(standby)).batches === archived.batches);
    await expectLedger(standby, archived);

    const away = `${journey.repositoryPath}-away`;
    renameSync(journey.repositoryPath, away);
    try {
      await waitFor('the standby to ask', () => standby.log().includes('cannot open the directory'));
      expect(await readValue(standby, 'pg_is_in_recovery()')).toBe('true');
      await stream(journey.cluster);
      await follows();
    } finally {
      renameSync(away, journey.repositoryPath);
    }
    await follows();

    const last = await readLedger(journey.cluster);
    await journey.cluster.stop('fast');
    await standby.query('SELECT pg_promote()');
    await waitForPromotion(standby);
    await expectLedger(standby, last);
    await writeBatches(standby, 1);
    expect(await readTimeline(standby)).toBe(2);
  });

  it('that archives, too, into the same repository as its primary, meets the same bytes and is content', async () => {
    await using own = await startJourney({ major, settings: { wal_retrieve_retry_interval: '500ms' } });
    await createLedger(own.cluster);
    await own.backUp();
    const always = { settings: { archive_mode: 'always' } };
    await using second = await own.restore('LATEST', ['--standby', '--archive-mode', 'keep'], always);
    await second.start();
    for (let segment = 0; segment < 3; segment += 1) {
      await writeBatches(own.cluster, 1);
      await archiveEverything(own.cluster);
    }
    await waitFor('the standby to follow', async () => (await readLedger(second)).batches === 3);
    await waitFor('the standby to archive', async () => (await readArchiver(second)).archivedCount >= 3);
    expect(await readArchiver(second)).toMatchObject({ failedCount: 0 });
    expect(second.log()).toContain('archived already, with the same bytes');
  });
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import { runSeawall } from '../../support/seawall.ts';
import { archiveEverything, readValue, waitForPromotion } from '../../support/server-state.ts';

const majors: readonly PostgresMajor[] = [14, 18];

describe.each(majors)('a PostgreSQL %i cluster that is restored', (major) => {
  let journey: Journey;
  const archivedFiles = () => readdirSync(join(journey.repositoryPath, 'wal_005')).toSorted();

  beforeAll(async () => {
    journey = await startJourney({ major, segmentSizeMib: 1 });
    await createLedger(journey.cluster);
    await writeBatches(journey.cluster, 3);
    await journey.backUp();
    await writeBatches(journey.cluster, 3);
    await archiveEverything(journey.cluster);
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it('elsewhere for a trial writes nothing into the archive of the original', async () => {
    const before = archivedFiles();
    await using trial = await journey.restore('LATEST');
    expect(trial.report).toContain('archive_mode is switched off');
    await trial.start();
    await waitForPromotion(trial);
    await writeBatches(trial, 3);
    await trial.query('SELECT pg_switch_wal()');
    await trial.query('CHECKPOINT');
    expect(await readValue(trial, "current_setting('archive_mode')")).toBe('off');
    await trial.stop('fast');
    expect(archivedFiles()).toEqual(before);
  });

  it('says whom to give the files, when root restores', async () => {
    const directory = join(journey.cluster.directory, 'restored by us');
    const args = ['restore', 'LATEST', directory, ...journey.repository.flags];
    const { stdout } = await runSeawall(args, { env: { HOME: journey.cluster.directory } });
    const advice = `give the files to the user that runs PostgreSQL: chown -R postgres: '${directory}'`;
    expect(stdout.includes(advice)).toBe(process.getuid?.() === 0);
  });

  it('elsewhere with --archive-mode keep goes on archiving, on a timeline of its own', async () => {
    await using own = await startJourney({ major, segmentSizeMib: 1 });
    await createLedger(own.cluster);
    await own.backUp();
    await writeBatches(own.cluster, 2);
    await own.destroyCluster();
    await using server = await own.restore('LATEST', ['--archive-mode', 'keep']);
    expect(server.report).not.toContain('archive_mode is switched off');
    await server.start();
    await waitForPromotion(server);
    await writeBatches(server, 2);
    expect((await readLedger(server)).batches).toBe(4);
    await archiveEverything(server);
    const files = readdirSync(join(own.repositoryPath, 'wal_005'));
    expect(files).toContain('00000002.history.zst');
    expect(files.some((name) => name.startsWith('00000002000000'))).toBe(true);
  });
});

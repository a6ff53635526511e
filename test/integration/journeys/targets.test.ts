import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readControlFile } from '../../../src/postgres/control-file.ts';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, predictLedger, readLedger, whileLedgerRests } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { startLoad } from '../../support/load.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import { readValue, waitForPause, waitForPromotion } from '../../support/server-state.ts';

/** A moment of the cluster's life that a recovery may aim at, and what was true then. */
interface Mark {
  readonly target: string;
  readonly state: LedgerState;
}

const majors: readonly PostgresMajor[] = [14, 18];

describe.each(majors)('a PostgreSQL %i cluster that is lost under load', (major) => {
  let journey: Journey;
  let older: string;
  let newer: string;
  let time: Mark;
  let lsn: Mark;
  let name: Mark;
  let transaction: Mark;
  let beforeTransaction: LedgerState;
  let lateTime: Mark;
  let end: LedgerState;
  /** How many batches the ledger had when the newer backup began, and at most when it ended. */
  let batchesAtNewer: readonly [number, number];

  beforeAll(async () => {
    journey = await startJourney({ major });
    const { cluster } = journey;
    const mark = (expression: string): Promise<Mark> =>
      whileLedgerRests(cluster, async (client) => ({
        state: await readLedger(client),
        target: await readValue(client, expression),
      }));

    await createLedger(cluster);
    await using load = startLoad(cluster);
    await load.more(10);
    older = await journey.backUp();
    await load.more(10);
    time = await mark('clock_timestamp()');
    await load.more(10);
    lsn = await mark('pg_current_wal_insert_lsn()');
    await cluster.query('SELECT pg_switch_wal()');
    await load.more(10);
    name = { ...(await mark("pg_create_restore_point('noon o''clock')")), target: "noon o'clock" };
    await load.more(10);
    transaction = await whileLedgerRests(cluster, async (client) => {
      beforeTransaction = await readLedger(client);
      await client.query('SELECT write_batch()');
      return { state: await readLedger(client), target: await readValue(client, 'txid_current()') };
    });
    await load.more(10);
    const { batches } = await readLedger(cluster);
    newer = await journey.backUp();
    batchesAtNewer = [batches, (await readLedger(cluster)).batches];
    await load.more(10);
    lateTime = await mark('clock_timestamp()');
    await load.more(10);
    await load.stop();
    end = await readLedger(cluster);
    await journey.destroyCluster();
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it('comes back to a time, and pauses there until it is told to open', async () => {
    await using server = await journey.restore('LATEST', ['--target-time', time.target]);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, time.state);
    await server.query('SELECT pg_wal_replay_resume()');
    await waitForPromotion(server);
    await expectLedger(server, time.state);
    await server.query('SELECT write_batch()');
  });

  it('comes back to an LSN, and opens by itself', async () => {
    await using server = await journey.restore('LATEST', ['--target-lsn', lsn.target, '--target-action', 'promote']);
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, lsn.state);
    expect(existsSync(join(server.dataDirectory, 'recovery.signal'))).toBe(false);
  });

  it('comes back to a restore point, shuts down there, and opens when it is told to', async () => {
    const args = ['--target-name', name.target, '--target-action', 'shutdown'];
    await using server = await journey.restore(older, args);
    expect(server.report).toContain(
      'start it with -o "-c recovery_target_action=promote", and never remove recovery.signal',
    );
    // Whether it accepts connections for a moment before it ends is up to the server.
    await server.start().catch(() => undefined);
    await server.waitForExit();
    expect(server.log()).toContain(`recovery stopping at restore point "${name.target}"`);
    expect((await readControlFile(server.dataDirectory)).state).toBe('shut down in recovery');
    // As the report says. Without recovery.signal, it would go on to the end of what pg_wal holds.
    await using opened = await journey.serve(server.dataDirectory, { recovery_target_action: 'promote' });
    await opened.start();
    await waitForPromotion(opened);
    await expectLedger(opened, name.state);
  });

  it('comes back to a transaction', async () => {
    await using server = await journey.restore(older, ['--target-xid', transaction.target]);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, transaction.state);
  });

  it('comes back to just before a transaction', async () => {
    const args = ['--target-xid', transaction.target, '--target-inclusive', 'off'];
    await using server = await journey.restore(older, args);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, beforeTransaction);
  });

  it('comes back to the end of a backup, with whole transactions only', async () => {
    await using server = await journey.restore('LATEST', ['--target-immediate']);
    await server.start();
    await waitForPause(server);
    const state = await readLedger(server);
    expect(state.batches).toBeGreaterThanOrEqual(batchesAtNewer[0]);
    expect(state.batches).toBeLessThanOrEqual(batchesAtNewer[1]);
    expect(await predictLedger(server, state.batches)).toEqual(state);
  });

  it('comes back to the end of the archive, from either backup', async () => {
    for (const backup of [older, newer]) {
      await using server = await journey.restore(backup);
      await server.start();
      await waitForPromotion(server);
      await expectLedger(server, end);
    }
  });

  it('comes back to a time after the newer backup, which LATEST chooses', async () => {
    await using server = await journey.restore('LATEST', ['--target-time', lateTime.target]);
    expect(await journey.planOf('--target-time', lateTime.target)).toContain(newer);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, lateTime.state);
  });

  it('refuses a target before the end of the backup, and names the newest that serves', async () => {
    for (const target of [
      ['--target-time', time.target],
      ['--target-lsn', lsn.target],
    ]) {
      const directory = join(journey.cluster.directory, 'refused');
      const result = await journey.run('restore', newer, directory, ...target);
      expect(result).toMatchObject({ exitCode: 64, stdout: '' });
      expect(result.stderr).toContain(`cannot recover from ${newer} to `);
      expect(result.stderr).toContain(`Restore ${older}, the newest backup that serves.`);
      expect(existsSync(directory)).toBe(false);
    }
  });

  it('refuses a target before every backup', async () => {
    const directory = join(journey.cluster.directory, 'refused');
    const result = await journey.run('restore', 'LATEST', directory, '--target-time', '2001-02-03 04:05:06Z');
    expect(result).toMatchObject({ exitCode: 74, stdout: '' });
    expect(result.stderr).toContain(`The oldest is ${older}, and the backup ended at `);
    expect(existsSync(directory)).toBe(false);
  });
});

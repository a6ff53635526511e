import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { runSeawall } from '../../support/seawall.ts';
import { archiveEverything, readTimeline, readValue, waitForPromotion } from '../../support/server-state.ts';
import { giveToServerUser } from '../../support/server-user.ts';

/** Every object of the repository, by its key. */
function objectsIn(repositoryPath: string): string[] {
  return readdirSync(repositoryPath, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repositoryPath.length + 1))
    .sort();
}

const walIn = (repositoryPath: string): string[] =>
  objectsIn(repositoryPath).filter((key) => key.startsWith('wal_005/'));

/** Starts a restored backup, and compares it with what was there at the end. */
async function expectEnd(journey: Journey, backup: string, state: LedgerState, ...args: string[]): Promise<void> {
  await using server = await journey.restore(backup, args);
  await server.start();
  await waitForPromotion(server);
  await expectLedger(server, state);
}

describe('a cluster with three backups', () => {
  let journey: Journey;
  let names: string[];
  let end: LedgerState;

  /** As WAL-G, on the same repository. */
  async function walg(...args: string[]): Promise<string> {
    const env = { ...journey.cluster.clientEnvironment, WALG_FILE_PREFIX: journey.repositoryPath };
    const { stdout, stderr, exitCode } = await runSeawall(['wal-g', ...args], { env });
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  }

  beforeAll(async () => {
    journey = await startJourney();
    await createLedger(journey.cluster);
    names = [];
    for (let taken = 0; taken < 3; taken += 1) {
      await writeBatches(journey.cluster, 3);
      names.push(await journey.backUp());
    }
    await writeBatches(journey.cluster, 3);
    await archiveEverything(journey.cluster);
    end = await readLedger(journey.cluster);
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it('is shown and verified without gaps, by asking the server how far it is', async () => {
    const [timeline] = JSON.parse(await walg('wal-show', '--detailed-json'));
    expect(timeline).toMatchObject({ id: 1, missing_segments: [], status: 'OK' });
    expect(timeline.backups.map((backup: { backup_name: string }) => backup.backup_name)).toEqual(names.toReversed());
    const { integrity, timeline: check } = JSON.parse(await walg('wal-verify', 'integrity', 'timeline', '--json'));
    expect(integrity).toMatchObject({ status: 'OK', details: [{ timeline_id: 1, status: 'FOUND' }] });
    expect(check).toMatchObject({ status: 'OK' });
  });

  it('is copied to a second repository, and restored from there to the end', async () => {
    const second = `${journey.repositoryPath}-second`;
    rmSync(second, { recursive: true, force: true });
    mkdirSync(second);
    giveToServerUser(second);
    await journey.succeed('copy', '--from', `file://${journey.repositoryPath}`, '--to', `file://${second}`);
    expect(objectsIn(second)).toEqual(objectsIn(journey.repositoryPath));
    const away = `${journey.repositoryPath}-away`;
    renameSync(journey.repositoryPath, away);
    renameSync(second, journey.repositoryPath);
    try {
      await expectEnd(journey, 'LATEST', end);
      await expectEnd(journey, names[0] ?? '', end);
    } finally {
      rmSync(journey.repositoryPath, { recursive: true, maxRetries: 20 });
      renameSync(away, journey.repositoryPath);
    }
  });

  it('loses nothing by a dry run, and then all that the newest backup does not need', async () => {
    const before = objectsIn(journey.repositoryPath);
    expect(await journey.succeed('delete', 'retain', '1')).toMatch(/backups +\d+ .*\nwal /);
    expect(objectsIn(journey.repositoryPath)).toEqual(before);

    await journey.succeed('delete', 'retain', '1', '--confirm');
    const { backups } = JSON.parse(await journey.succeed('list', '--json'));
    expect(backups.map(({ name }: { name: string }) => name)).toEqual(names.slice(2));
    const start = names[2]?.slice('base_'.length) ?? '';
    expect(walIn(journey.repositoryPath)[0]).toContain(start);
    expect(objectsIn(journey.repositoryPath).filter((key) => key.includes(names[0] ?? ''))).toEqual([]);
    await expectEnd(journey, 'LATEST', end);
    const { integrity } = JSON.parse(await walg('wal-verify', 'integrity', '--json'));
    expect(integrity).toMatchObject({ status: 'OK' });
  });
});

describe('a cluster with two timelines', () => {
  let journey: Journey;
  let common: string;
  let onFirst: string;
  let onSecond: string;
  let endOfFirst: LedgerState;
  let endOfSecond: LedgerState;

  beforeAll(async () => {
    journey = await startJourney();
    const { cluster } = journey;
    await createLedger(cluster);
    await writeBatches(cluster, 3);
    common = await journey.backUp();
    await cluster.query("SELECT pg_create_restore_point('fork')");
    await writeBatches(cluster, 3);
    onFirst = await journey.backUp();
    await writeBatches(cluster, 3);
    endOfFirst = await readLedger(cluster);
    await journey.destroyCluster();

    const back = ['--target-name', 'fork', '--target-action', 'promote'];
    const second = await journey.restore(common, back, { dataDirectory: cluster.dataDirectory });
    await second.start();
    await waitForPromotion(second);
    await writeBatches(second, 1);
    onSecond = await journey.backUpOf(second);
    await writeBatches(second, 1);
    expect(await readTimeline(second)).toBe(2);
    expect(await readValue(second, 'pg_is_in_recovery()')).toBe('false');
    endOfSecond = await readLedger(second);
    await second.stop('fast');
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it('keeps both ways open while the older backup is kept, and the younger one alone when that is all', async () => {
    await journey.succeed('delete', 'before', onFirst, '--confirm');
    expect((await journey.run('show', common)).exitCode).toBe(74);
    await expectEnd(journey, onFirst, endOfFirst, '--target-timeline', 'current');
    await expectEnd(journey, onSecond, endOfSecond);

    await journey.succeed('delete', 'before', onSecond, '--confirm');
    expect((await journey.run('show', onFirst)).exitCode).toBe(74);
    const wal = walIn(journey.repositoryPath);
    expect(wal.filter((key) => /wal_005\/00000001[0-9A-F]{16}/.test(key))).toEqual([]);
    expect(wal.some((key) => key.includes('00000002.history'))).toBe(true);
    await expectEnd(journey, 'LATEST', endOfSecond);
  });
});

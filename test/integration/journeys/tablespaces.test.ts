import { appendFileSync, existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import { describeWithTools } from '../../support/postgres-tools.ts';
import { runCommand } from '../../support/run-command.ts';
import { readValue, waitForPause, waitForPromotion } from '../../support/server-state.ts';

const majors: readonly PostgresMajor[] = [14, 18];

/** Names that need care in tablespace_map, in tar and in the shell. */
const placeNames = ['fast disk', 'späte=platte\\n'];

interface World {
  readonly journey: Journey;
  readonly places: readonly string[];
  readonly end: LedgerState;
}

/** A cluster with the ledger in one tablespace, its index in another, and a backup; it goes on writing after that. */
async function startWorld(major: PostgresMajor): Promise<World> {
  const journey = await startJourney({ major });
  const { cluster } = journey;
  const places = placeNames.map((name) => cluster.makeDirectory(name));
  await createLedger(cluster);
  for (const [index, place] of places.entries()) {
    await cluster.query(`CREATE TABLESPACE place_${index} LOCATION '${place}'`);
  }
  await cluster.query('ALTER TABLE ledger SET TABLESPACE place_0');
  await cluster.query('ALTER INDEX ledger_pkey SET TABLESPACE place_1');
  await writeBatches(cluster, 5);
  await journey.backUp();
  await writeBatches(cluster, 5);
  await cluster.query("SELECT pg_create_restore_point('end')");
  return { journey, places, end: await readLedger(cluster) };
}

describe.each(majors)('a PostgreSQL %i cluster with tablespaces', (major) => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld(major);
    await world.journey.cluster.stop();
  });
  afterAll(() => world.journey[Symbol.asyncDispose]());

  it('is restored beside the original with its tablespaces elsewhere', async () => {
    const { journey, places, end } = world;
    const before = places.map((place) => readdirSync(place, { recursive: true }).sort());
    const moved = places.map((place) => `${place} moved`);
    const mappings = places.flatMap((place) => [
      '--tablespace-mapping',
      `${escapeEquals(place)}=${escapeEquals(`${place} moved`)}`,
    ]);
    await using server = await journey.restore('LATEST', ['--target-name', 'end', ...mappings]);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, end);
    expect(locationsOf(server.dataDirectory)).toEqual(moved);
    expect(places.map((place) => readdirSync(place, { recursive: true }).sort())).toEqual(before);
  });

  it('is refused in place while its tablespaces are there', async () => {
    const { journey, places } = world;
    const directory = join(journey.cluster.directory, 'refused');
    const result = await journey.run('restore', 'LATEST', directory);
    expect(result).toMatchObject({ exitCode: 73, stdout: '', stderr: expect.stringContaining(places[0] ?? '') });
    expect(existsSync(directory)).toBe(false);
  });
});

describe.each(majors)('a PostgreSQL %i cluster that is lost with its tablespaces', (major) => {
  it('comes back in place', async () => {
    const { journey, places, end } = await startWorld(major);
    await using _ended = journey;
    const { dataDirectory } = journey.cluster;
    await journey.destroyCluster(...places);
    await using server = await journey.restore('LATEST', [], { dataDirectory });
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
    expect(locationsOf(server.dataDirectory)).toEqual(places);
    expect(
      await readValue(server, "SELECT count(*) FROM pg_class WHERE reltablespace <> 0 AND relname ~ 'ledger'"),
    ).toBe('2');
  });
});

describeWithTools('pg_verifybackup', (tools) => {
  it('accepts a restored PostgreSQL 14 cluster with its tablespaces, and notices a changed file', async () => {
    const { journey, places } = await startWorld(14);
    await using _ended = journey;
    const { dataDirectory } = journey.cluster;
    await journey.destroyCluster(...places);
    await journey.restore('LATEST', ['--target-immediate'], { dataDirectory });
    const verify = () => runCommand(tools.path('pg_verifybackup'), ['--no-parse-wal', dataDirectory]);
    expect(await verify()).toMatchObject({ exitCode: 0, stdout: 'backup successfully verified\n', stderr: '' });
    appendFileSync(join(dataDirectory, 'PG_VERSION'), ' ');
    expect(await verify()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('PG_VERSION') });
  });
});

/** Where the links of the tablespaces lead, in the order of their creation. */
function locationsOf(dataDirectory: string): string[] {
  const links = join(dataDirectory, 'pg_tblspc');
  return readdirSync(links)
    .toSorted()
    .map((name) => readlinkSync(join(links, name)));
}

/** A path for --tablespace-mapping. */
function escapeEquals(path: string): string {
  return path.replaceAll('=', '\\=');
}

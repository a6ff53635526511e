import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { archiveEverything, waitForPromotion } from '../../support/server-state.ts';
import { giveToServerUser, makeServerDirectory } from '../../support/server-user.ts';

let home: string;

beforeAll(() => {
  home = makeServerDirectory('seawall-configured-');
});
afterAll(() => rmSync(home, { recursive: true, maxRetries: 20 }));

it('a cluster whose settings stand in a file comes back, though they change on the way', async () => {
  const config = join(home, 'seawall 100%.yaml');
  const repository = join(home, 'repository');
  mkdirSync(repository);
  giveToServerUser(repository);
  const configure = (compression: string) => {
    writeFileSync(config, `repository: ${repository}\n${compression}\n`);
    giveToServerUser(config);
  };

  configure('compression: none');
  const journey = await startJourney({ segmentSizeMib: 1, repository: { flags: ['--config', config] } });
  await using _ended = journey;
  await createLedger(journey.cluster);
  const turns = [
    'compression: none',
    'compression: zstd',
    'compressionLevel: 9',
    'compressionEngine: napi',
    'agent: off',
  ];
  for (const compression of turns) {
    configure(compression);
    await writeBatches(journey.cluster, 2);
    await archiveEverything(journey.cluster);
    await journey.backUp();
  }
  const end = await readLedger(journey.cluster);
  await journey.destroyCluster();
  const stored = readdirSync(join(repository, 'wal_005'));
  const suffixes = stored.filter((name) => !name.includes('.backup')).map((name) => name.split('.')[1] ?? '');
  expect(new Set(suffixes)).toEqual(new Set(['', 'zst']));

  const { backups } = JSON.parse(await journey.succeed('list', '--json')) as { backups: { name: string }[] };
  expect(backups.length).toBe(turns.length);
  for (const { name } of [backups[0], backups.at(-1)] as { name: string }[]) {
    await using server = await journey.restore(name);
    const configured = readFileSync(join(server.dataDirectory, 'postgresql.auto.conf'), 'utf8');
    expect(configured).toContain('--config');
    expect(configured).not.toContain(repository);
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  }
});

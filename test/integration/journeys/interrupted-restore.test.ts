import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { removeTree } from '../../support/remove-tree.ts';
import type { CommandResult } from '../../support/run-command.ts';
import { archiveEverything, waitForPromotion } from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

let journey: Journey;
let tablespace: string;
let end: LedgerState;

beforeAll(async () => {
  journey = await startJourney();
  const { cluster } = journey;
  tablespace = cluster.makeDirectory('tablespace');
  await createLedger(cluster);
  await cluster.query(`CREATE TABLESPACE elsewhere LOCATION '${tablespace}'`);
  await cluster.query('ALTER TABLE ledger SET TABLESPACE elsewhere');
  await writeBatches(cluster, 30);
  await journey.backUp();
  await archiveEverything(cluster);
  end = await readLedger(cluster);
});
afterAll(() => journey[Symbol.asyncDispose]());

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'a restore that is interrupted by %s leaves nothing behind, and the next one is whole',
  async (signal) => {
    const directory = join(journey.cluster.directory, `interrupted by ${signal}`);
    const mapping = ['--tablespace-mapping', `${tablespace}=${directory} tablespace`];
    const hasFiles = () => existsSync(join(directory, 'base')) && readdirSync(join(directory, 'base')).length > 0;
    let result: CommandResult;
    do {
      // Of a restore that was through before the signal came, or of an attempt before this one.
      for (const path of [directory, `${directory} tablespace`]) await removeTree(path);
      const restore = journey.start('restore', 'LATEST', directory, '--jobs', '1', ...mapping);
      await waitFor('the first files', hasFiles, { intervalMs: 1 });
      restore.process.kill(signal);
      result = await restore.finished;
    } while (result.exitCode === 0);
    expect(result).toMatchObject({ exitCode: null, signal, stdout: '' });
    expect(
      readdirSync(journey.cluster.directory).filter((name) => name.startsWith(`interrupted by ${signal}`)),
    ).toEqual([]);

    await using server = await journey.restore('LATEST', mapping, { dataDirectory: directory });
    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  },
);

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readControlFile } from '../../../src/postgres/control-file.ts';
import { type Journey, startJourney } from '../../support/journey.ts';
import { createLedger, type LedgerState, readLedger, writeBatches } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import type { PostgresMajor } from '../../support/postgres-binaries.ts';
import type { Server } from '../../support/postgres-server.ts';
import { archiveEverything, readArchiver, readSettledArchiver, waitForPromotion } from '../../support/server-state.ts';
import { waitFor } from '../../support/wait-for.ts';

const majors: readonly PostgresMajor[] = [14, 18];

/** A way in which the directory of a repository fails, and the way back. */
interface Outage {
  readonly what: string;
  begin(path: string): void;
  end(path: string): void;
}

const gone: Outage = {
  what: 'is gone',
  begin: (path) => renameSync(path, `${path}-away`),
  end: (path) => renameSync(`${path}-away`, path),
};
const unmounted: Outage = {
  what: 'looks empty, its volume not being mounted',
  begin(path) {
    gone.begin(path);
    mkdirSync(path);
  },
  end(path) {
    rmdirSync(path);
    gone.end(path);
  },
};
const readOnly: Outage = {
  what: 'is read-only',
  begin: (path) => chmodSync(join(path, 'wal_005'), 0o500),
  end: (path) => chmodSync(join(path, 'wal_005'), 0o700),
};

/** The archived segments, in their order. */
function segmentsIn(repositoryPath: string): string[] {
  const names = readdirSync(join(repositoryPath, 'wal_005')).map((name) => name.replace(/\.zst$/, ''));
  return names.filter((name) => /^[0-9A-F]{24}$/.test(name)).toSorted();
}

/** Lets restore_command wait for that segment as long as there is the file whose path it gives. */
function holdRecovery({ dataDirectory, directory }: Server, segment: string): string {
  const gate = join(directory, 'gate');
  writeFileSync(gate, '');
  const path = join(dataDirectory, 'postgresql.auto.conf');
  const wait = `test "%f" != ${segment} || while test -e "${gate}"; do sleep 0.02; done; `;
  writeFileSync(path, readFileSync(path, 'utf8').replace("restore_command = '", `$&${wait}`));
  return gate;
}

describe.each(majors)('a PostgreSQL %i cluster that recovers', (major) => {
  let journey: Journey;
  let end: LedgerState;

  beforeAll(async () => {
    journey = await startJourney({ major, segmentSizeMib: 1 });
    const { cluster } = journey;
    await createLedger(cluster);
    await journey.backUp();
    for (let segment = 0; segment < 8; segment += 1) {
      await writeBatches(cluster, 1);
      await cluster.query('SELECT pg_switch_wal()');
    }
    await writeBatches(cluster, 1);
    end = await readLedger(cluster);
    await journey.destroyCluster();
  });
  afterAll(() => journey[Symbol.asyncDispose]());

  it.each([gone, unmounted])('stops when the repository $what, and loses nothing', async (outage) => {
    await using server = await journey.restore('LATEST');
    const gate = holdRecovery(server, segmentsIn(journey.repositoryPath).at(-3) ?? '');
    const started = server.start().catch(() => undefined);
    await waitFor('some segments to be replayed', () => server.log().split('restored log file').length > 2);
    outage.begin(journey.repositoryPath);
    try {
      rmSync(gate);
      await started;
      await server.waitForExit();
    } finally {
      outage.end(journey.repositoryPath);
    }
    expect(server.log()).toMatch(/could not restore file "\S+" from archive: child process exited with exit code 200/);
    expect(server.log()).not.toContain('archive recovery complete');
    expect(existsSync(join(server.dataDirectory, 'recovery.signal'))).toBe(true);
    expect((await readControlFile(server.dataDirectory)).timeline).toBe(1);

    await server.start();
    await waitForPromotion(server);
    await expectLedger(server, end);
  });
});

describe('a cluster that archives', () => {
  it.each([
    { major: 14, ...gone },
    { major: 18, ...readOnly },
  ] as const)(
    'goes on when the repository $what, counts the failures, and catches up',
    async ({ major, ...outage }) => {
      await using journey = await startJourney({ major, segmentSizeMib: 1 });
      const { cluster, repositoryPath } = journey;
      await createLedger(cluster);
      await journey.backUp();
      await archiveEverything(cluster);
      const before = await readSettledArchiver(cluster);
      expect(before.failedCount).toBe(0);

      outage.begin(repositoryPath);
      try {
        await writeBatches(cluster, 2);
        await cluster.query('SELECT pg_switch_wal()');
        await waitFor('two failures', async () => (await readArchiver(cluster)).failedCount >= 2);
        const during = await readArchiver(cluster);
        expect(during.archivedCount).toBe(before.archivedCount);
        expect(during.processId).toBe(before.processId);
        expect(during.lastFailedWal).toMatch(/^00000001/);
      } finally {
        outage.end(repositoryPath);
      }
      await writeBatches(cluster, 2);
      await archiveEverything(cluster);
      expect((await readArchiver(cluster)).processId).toBe(before.processId);
      const end = await readLedger(cluster);
      await journey.destroyCluster();

      await using server = await journey.restore('LATEST');
      await server.start();
      await waitForPromotion(server);
      await expectLedger(server, end);
    },
  );
});

import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { type RepositoryAddress, startJourney } from '../../support/journey.ts';
import { createLedger, readLedger, whileLedgerRests } from '../../support/ledger.ts';
import { expectLedger } from '../../support/ledger-checks.ts';
import { startLoad } from '../../support/load.ts';
import { readValue, waitForPause, waitForPromotion } from '../../support/server-state.ts';
import { makeRepository } from '../../support/service-repositories.ts';
import { describeService } from '../../support/services.ts';

await describeService('s3', 'with a repository in S3', (service) => {
  itComesBackToATime((bucket) => makeRepository.s3(service, bucket));
});

await describeService('gcs', 'with a repository in Google Cloud Storage', (service) => {
  itComesBackToATime((bucket) => makeRepository.gcs(service, bucket));
});

await describeService('azure', 'with a repository in Azure Blob Storage', (service) => {
  itComesBackToATime((container) => makeRepository.azure(service, container));
});

function itComesBackToATime(open: (bucket: string) => Promise<RepositoryAddress>): void {
  it('a cluster that is lost under load comes back to a time, and opens', async () => {
    const repository = await open(`journey-${randomUUID()}`);
    await using journey = await startJourney({ repository });
    const { cluster } = journey;
    await createLedger(cluster);
    await using load = startLoad(cluster);
    await load.more(10);
    const name = await journey.backUp();
    await load.more(10);
    const then = await whileLedgerRests(cluster, async (client) => ({
      time: await readValue(client, 'clock_timestamp()'),
      state: await readLedger(client),
    }));
    await load.more(10);
    await load.stop();
    await journey.destroyCluster();

    expect(await journey.succeed('list')).toContain(name);
    await using server = await journey.restore('LATEST', ['--target-time', then.time]);
    await server.start();
    await waitForPause(server);
    await expectLedger(server, then.state);
    await server.query('SELECT pg_wal_replay_resume()');
    await waitForPromotion(server);
    for (const secret of Object.values(repository.environment ?? {})) {
      if (!secret.startsWith('http')) expect(server.log() + server.report).not.toContain(secret);
    }
  });
}
